import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openProject } from "../../../src/engine/config/project.ts";
import { openIndex } from "../../../src/engine/dataset/dataset.ts";
import { readMos } from "../../../src/engine/dataset/readMos.ts";
import { rate, ratingQueue } from "../../../src/engine/ratings/ratings.ts";
import { type Browser, openBrowser } from "../../../src/engine/views/browse.ts";
import { hashOf, liveContext, putIndex } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const count = 60;

async function open(paths = Array.from({ length: count }, (_, i) => `photos/i${i}.jpg`)): Promise<Browser> {
  const root = temporaryFolder();
  writeFileSync(path.join(root, "leaf.yaml"), "images: photos\nmos: { file: m.csv }\n");
  const project = await openProject(path.join(root, "leaf.yaml"));
  putIndex(
    project,
    paths.map((path, i) => ({ path, hash: hashOf(i) })),
  );
  const browser = openBrowser(project);
  onTestFinished(() => browser.close());
  browser.setContext(liveContext(project, { splitOf: () => "train" }));
  return browser;
}

const fileOf = (browser: Browser) => path.join(browser.project.root, "m.csv");

/** The scores as the stages read them, by image. */
async function scoresOf({ project }: Browser) {
  const index = openIndex(project.indexFile);
  try {
    const mos = await readMos({ ...project.config.mos!, file: path.join(project.root, "m.csv") }, index);
    return { scores: mos.scores, problems: mos.problems };
  } finally {
    index.close();
  }
}

test("a rating changes the score of one image and no other, and undoing it restores every byte", async () => {
  const browser = await open();
  const row = fc.record({
    image: fc.nat(12),
    name: fc.constantFrom("i#.jpg", "photos/i#.jpg", '"i#.jpg"', " i# ", "I#.JPG"),
    // Rows may lack the score, or have more cells than the header.
    rest: fc.constantFrom("", ",", ",3", ',"2.50"', ", 4 ", ",3,x", ",3,", ',1,"two\nlines"', ",2,,,"),
    end: fc.constantFrom("\n", "\r\n", "\r", "\n\n", "\r\n \r\n"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(row, { selector: ({ image }) => image, maxLength: 8 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.constantFrom("utf8", "bom", "utf16le", "utf16be"),
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(15), fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 4 }),
      async (rows, headerEnd, encoding, last, given) => {
        const lines = rows.map(({ image, name, rest, end }) => name.replace("#", String(image)) + rest + end);
        let text = `image,mos,note${headerEnd}${lines.join("")}`;
        if (!last) text = text.replace(/(\r\n|\n|\r)$/, "");
        let before = Buffer.from(encoding === "bom" ? `\ufeff${text}` : text);
        if (encoding.startsWith("utf16")) before = Buffer.from(`\ufeff${text}`, "utf16le");
        if (encoding === "utf16be") before.swap16();
        writeFileSync(fileOf(browser), before);
        const { scores } = await scoresOf(browser);
        for (const [i, rating] of given) {
          await rate(browser, hashOf(i), rating);
          scores.set(hashOf(i), rating);
        }
        expect((await scoresOf(browser)).scores).toEqual(scores);
        const { rated } = await ratingQueue(browser, 0);
        for (const { hash } of rated.reverse()) await rate(browser, hash, null);
        expect(readFileSync(fileOf(browser)).equals(before)).toBe(true);
      },
    ),
    { numRuns: 30 },
  );
});

test("a file of mixed line ends gains a row and loses no person's score", async () => {
  const browser = await open();
  const lines = ["image,mos", ...Array.from({ length: 40 }, (_, i) => `i${i}.jpg,${1 + (i % 4)}.5`)];
  const before = lines.map((line, i) => line + (i < 20 ? "\r\n" : "\n")).join("");
  writeFileSync(fileOf(browser), before);
  expect((await scoresOf(browser)).scores.size).toBe(40);
  const { total } = await rate(browser, hashOf(50), 5);
  expect([total, readFileSync(fileOf(browser), "utf8")]).toEqual([41, `${before}photos/i50.jpg,5\r\n`]);
});

test("a row that is not sure is not written to, and a quote that never closes stops the rating", async () => {
  const browser = await open();
  writeFileSync(fileOf(browser), 'image,mos\n"i1.jpg"x,3\n');
  await rate(browser, hashOf(1), 5);
  expect(readFileSync(fileOf(browser), "utf8")).toBe('image,mos\n"i1.jpg"x,3\nphotos/i1.jpg,5\n');
  const open1 = 'image,mos\ni0.jpg,1\n"i1.jpg,3\ni2.jpg,4\n';
  writeFileSync(fileOf(browser), open1);
  await expect(rate(browser, hashOf(2), 5)).rejects.toMatchObject({
    code: "input",
    message: "m.csv:3: a quote is opened here and never closed.",
  });
  expect(readFileSync(fileOf(browser), "utf8")).toBe(open1);
  truncateSync(fileOf(browser), 65e6);
  await expect(rate(browser, hashOf(2), 5)).rejects.toThrow(
    "m.csv is too large to write ratings to: over 64 MB.",
  );
});

// Windows has no such modes, and makes links only for administrators.
test.skipIf(process.platform === "win32")(
  "the file keeps its mode, a link stays a link, also a hard one",
  async () => {
    const browser = await open();
    const file = fileOf(browser);
    writeFileSync(file, "image,mos\n");
    chmodSync(file, 0o640);
    linkSync(file, path.join(browser.project.root, "hard.csv"));
    await rate(browser, hashOf(1), 3);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readFileSync(path.join(browser.project.root, "hard.csv"), "utf8")).toBe(
      "image,mos\nphotos/i1.jpg,3\n",
    );
    const other = await open();
    mkdirSync(path.join(other.project.root, "shared"));
    symlinkSync("shared/new.csv", fileOf(other));
    await rate(other, hashOf(1), 3);
    expect(lstatSync(fileOf(other)).isSymbolicLink()).toBe(true);
    expect(readFileSync(path.join(other.project.root, "shared/new.csv"), "utf8")).toBe(
      "image,mos\nphotos/i1.jpg,3\n",
    );
  },
);

test("a name that a spreadsheet would run is written harmlessly, and is the same image", async () => {
  const browser = await open(["=1+1.jpg", "-x.jpg"]);
  writeFileSync(fileOf(browser), "image,mos\n");
  await rate(browser, hashOf(0), 3);
  await rate(browser, hashOf(1), 2);
  await rate(browser, hashOf(0), 4);
  expect(readFileSync(fileOf(browser), "utf8")).toBe("image,mos\n'=1+1.jpg,4\n'-x.jpg,2\n");
  expect((await scoresOf(browser)).scores).toEqual(
    new Map([
      [hashOf(0), 4],
      [hashOf(1), 2],
    ]),
  );
});

test("what a foreign project kept of a rating puts one cell back and no more", async () => {
  const browser = await open();
  writeFileSync(fileOf(browser), "image,mos\ni1.jpg,3\n");
  await rate(browser, hashOf(1), 5);
  const state = path.join(browser.project.leaf, "ratings/leaf.yaml.json");
  for (const raw of ["2\ni2.jpg,1", "2,x", '"2', 5, { a: 1 }]) {
    const kept = JSON.parse(readFileSync(state, "utf8"));
    kept.history = [{ hash: hashOf(1), path: "photos/i1.jpg", rating: 5, before: [{ cells: 2, raw }] }];
    writeFileSync(state, JSON.stringify(kept));
    await rate(browser, hashOf(1), null);
    expect(readFileSync(fileOf(browser), "utf8"), String(raw)).toBe("image,mos\ni1.jpg,\n");
  }
});

test("ratings of several people are never overwritten", async () => {
  const browser = await open();
  const several = (head: string, rows: string[]) => `${head}\n${rows.join("\n")}\n`;
  for (const text of [
    several("image,mos,annotator", ["i1.jpg,2,a", "i1.jpg,4,b"]),
    several("image,mos", ["i1.jpg,2", "i1.jpg,4", "i2.jpg,3", "i2.jpg,5"]),
  ]) {
    writeFileSync(fileOf(browser), text);
    for (const [image, rating] of [
      [1, 5],
      [7, 5],
    ] as const)
      await expect(rate(browser, hashOf(image), rating)).rejects.toMatchObject({
        code: "config",
        message:
          "Ratings can only be written to a CSV file with a column of names and one of scores, not to m.csv.",
      });
    expect(readFileSync(fileOf(browser), "utf8")).toBe(text);
    // Looking at what there is to rate stays possible.
    expect(await ratingQueue(browser, 0)).toHaveProperty("total");
  }
  // One annotator's table takes a score as ever.
  writeFileSync(fileOf(browser), "image,mos,annotator\ni1.jpg,2,a\ni2.jpg,4,a\n");
  await rate(browser, hashOf(1), 5);
  expect(readFileSync(fileOf(browser), "utf8")).toBe("image,mos,annotator\ni1.jpg,5,a\ni2.jpg,4,a\n");
});

test("a name of Label Studio's is the row of its image", async () => {
  const browser = await open(["photos/my pic 1.jpg", "photos/b.jpg"]);
  writeFileSync(fileOf(browser), "image,mos\n/data/upload/3/0badcafe-my_pic_1.jpg,2\n");
  await rate(browser, hashOf(0), 5);
  expect(readFileSync(fileOf(browser), "utf8")).toBe("image,mos\n/data/upload/3/0badcafe-my_pic_1.jpg,5\n");
});
