import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openProject } from "../../../src/engine/config/project.ts";
import { loadConfig } from "../../../src/engine/config/read.ts";
import { openIndex } from "../../../src/engine/dataset/dataset.ts";
import { excludeImages } from "../../../src/engine/dataset/exclude.ts";
import { readMos } from "../../../src/engine/dataset/readMos.ts";
import type { SplitName } from "../../../src/engine/dataset/split.ts";
import { rate, ratingQueue } from "../../../src/engine/ratings/ratings.ts";
import { openFeatureStore } from "../../../src/engine/selection/featureStore.ts";
import { type Browser, openBrowser } from "../../../src/engine/views/browse.ts";
import { hashOf, liveContext, putIndex } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const images = 100;
const splitOf = (hash: string): SplitName => {
  const i = Number.parseInt(hash, 16);
  return i % 5 === 0 ? "test" : i % 5 === 1 ? "val" : "train";
};

interface Options {
  config?: string;
  mos?: ReadonlyMap<string, number>;
  split?: (hash: string) => SplitName;
}

async function open({ config = "images: photos\n", mos, split = splitOf }: Options = {}) {
  const root = temporaryFolder();
  writeFileSync(path.join(root, "leaf.yaml"), config);
  return browserOf(root, { mos, split });
}

async function browserOf(root: string, { mos, split = splitOf }: Options = {}): Promise<Browser> {
  const project = await openProject(path.join(root, "leaf.yaml"));
  putIndex(
    project,
    Array.from({ length: images }, (_, i) => ({ path: `photos/image ${i}.jpg`, hash: hashOf(i) })),
  );
  const browser = openBrowser(project);
  onTestFinished(() => browser.close());
  browser.setContext(liveContext(project, { mos, splitOf: split }));
  return browser;
}

const fileOf = (browser: Browser, name: string) => path.join(browser.project.root, name);
const textOf = (browser: Browser, name: string) => readFileSync(fileOf(browser, name), "utf8");

describe("the proposal", () => {
  it("is 60 % to calibrate with and 40 % to evaluate with, and stays as it is", async () => {
    const browser = await open();
    const queue = await ratingQueue(browser, 30);
    expect(queue).toMatchObject({ proposed: { train: 18, test: 12 }, rated: [], file: "mos.csv", total: 0 });
    const splits = queue.images.map((row) => row.split);
    expect(splits.filter((split) => split === "train")).toHaveLength(18);
    expect(splits.filter((split) => split === "test")).toHaveLength(12);
    // Mixed, so that half of a sitting is of use as well.
    expect(splits.slice(0, 10)).toContain("train");
    expect(splits.slice(0, 10)).toContain("test");
    expect(await ratingQueue(browser, 30)).toEqual(queue);
    const again = await browserOf(browser.project.root);
    expect(await ratingQueue(again, 10)).toEqual(queue);
    expect(existsSync(fileOf(browser, "mos.csv"))).toBe(false);
  });

  it("grows without losing an image, and never proposes what is rated", async () => {
    const mos = new Map(Array.from({ length: 50 }, (_, i) => [hashOf(i), 3]));
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n", mos });
    writeFileSync(fileOf(browser, "m.csv"), "image,mos\n");
    const few = await ratingQueue(browser, 5);
    expect(few.proposed).toEqual({ train: 2, test: 3 });
    const more = await ratingQueue(browser, 20);
    expect(more.proposed).toEqual({ train: 12, test: 8 });
    const hashes = more.images.map((row) => row.hash);
    for (const row of few.images) expect(hashes).toContain(row.hash);
    for (const hash of hashes) expect(mos.has(hash)).toBe(false);
    const all = await ratingQueue(browser, 1000);
    // Validation images calibrate nothing.
    expect(all.proposed).toEqual({ train: 30, test: 10 });
  });

  it("lets one split give what the other cannot", async () => {
    const noTest = await open({ split: () => "train" });
    expect((await ratingQueue(noTest, 10)).proposed).toEqual({ train: 10, test: 0 });
    const noTrain = await open({ split: () => "test" });
    expect((await ratingQueue(noTrain, 10)).proposed).toEqual({ train: 0, test: 10 });
    const evaluated = await open({ config: "images: photos\nevaluate: { split: val }\n" });
    const queue = await ratingQueue(evaluated, 10);
    expect(queue.images.filter((row) => row.split === "val")).toHaveLength(4);
  });

  it("depends on the seed alone", async () => {
    const hashesOf = async (config: string) =>
      (await ratingQueue(await open({ config }), 20)).images.map((row) => row.hash);
    expect(await hashesOf("images: photos\n")).toEqual(await hashesOf("images: photos\n"));
    expect(await hashesOf("images: photos\n")).not.toEqual(
      await hashesOf("images: photos\ncalibrate: { seed: 1 }\n"),
    );
  });
});

describe("a proposal chosen by the distilled student", () => {
  const config = "images: photos\ncalibrate: { selection: kcenter }\n";

  /** A run whose student has looked at the images from `first` on. */
  async function distilled({ project }: Browser, first = 0): Promise<void> {
    const key = "0123456789abcdef";
    const run = { v: 1, id: "r1", configFile: "leaf.yaml", stages: { distill: { key } } };
    mkdirSync(path.join(project.runs, "r1"), { recursive: true });
    writeFileSync(path.join(project.runs, "r1", "run.json"), JSON.stringify(run));
    mkdirSync(path.join(project.stages, "distill", key), { recursive: true });
    writeFileSync(path.join(project.stages, "distill", key, "result.json"), "{}");
    const store = openFeatureStore(project, `distill-${key}`);
    const seen = Array.from({ length: images }, (_, i) => i).slice(first);
    // Images 90 and 91 are unlike all others.
    const features = (i: number) => Float32Array.of(i === 90 ? 50 : 0, i === 91 ? 50 : 0, (i % 7) / 10);
    store.put(seen.map((i) => ({ hash: hashOf(i), score: 3, features: features(i) })));
    store.close();
  }

  it("takes training images as the config says, the others at random still", async () => {
    const all = (hash: string): SplitName => (Number.parseInt(hash, 16) % 5 === 4 ? "test" : "train");
    const drawn = await ratingQueue(await open({ split: all }), 20);
    const browser = await open({ config, split: all });
    await distilled(browser);
    const queue = await ratingQueue(browser, 20);
    expect(queue.selection).toEqual({ asked: "kcenter", used: "kcenter" });
    expect(queue.proposed).toEqual(drawn.proposed);
    const of = (split: string, { images }: typeof queue) =>
      images.filter((row) => row.split === split).map((row) => row.hash);
    expect(of("train", queue)).toEqual(expect.arrayContaining([hashOf(90), hashOf(91)]));
    expect(of("test", queue).sort()).toEqual(of("test", drawn).sort());
    const more = await ratingQueue(browser, 40);
    for (const hash of of("train", queue)) expect(of("train", more)).toContain(hash);
    expect(new Set(more.images.map((row) => row.hash)).size).toBe(40);
  });

  it("is a draw, and says why, while there is no student or it has seen too few", async () => {
    const drawn = await ratingQueue(await open(), 20);
    expect(drawn.selection).toBeUndefined();
    const none = await ratingQueue(await open({ config }), 20);
    expect(none.images.map((row) => row.hash)).toEqual(drawn.images.map((row) => row.hash));
    expect(none.selection).toMatchObject({
      asked: "kcenter",
      used: "random",
      why: expect.stringContaining("no distilled"),
    });
    const browser = await open({ config });
    await distilled(browser, 80);
    const few = await ratingQueue(browser, 20);
    expect(few.selection).toMatchObject({ used: "random", why: expect.stringContaining("not looked") });
  });
});

describe("a rating", () => {
  it("makes the MOS file and names it in the config, comments kept", async () => {
    const browser = await open({ config: "# mine\nimages: photos # all\ncalibrate:\n  ratio: 0.1 # few\n" });
    const { images } = await ratingQueue(browser, 10);
    const [first, second] = images as [(typeof images)[0], (typeof images)[0]];
    const queue = await rate(browser, first.hash, 4);
    expect(textOf(browser, "mos.csv")).toBe(`image,mos\n${first.path},4\n`);
    expect(textOf(browser, "leaf.yaml")).toBe(
      "# mine\nimages: photos # all\nmos: { file: mos.csv, image: image, score: mos, range: [1, 5] }\n" +
        "calibrate:\n  ratio: 1 # few\n",
    );
    expect(queue.rated).toEqual([{ hash: first.hash, path: first.path, rating: 4 }]);
    expect(queue.total).toBe(1);
    expect(queue.images.map((row) => row.hash)).toEqual(images.slice(1).map((row) => row.hash));
    // The context still knows nothing of the file.
    await rate(browser, second.hash, 2);
    expect(textOf(browser, "mos.csv")).toBe(`image,mos\n${first.path},4\n${second.path},2\n`);
    const { scores } = await readMos(
      { ...(await loadConfig(browser.project.configFile)).mos!, file: fileOf(browser, "mos.csv") },
      openIndex(browser.project.indexFile),
    );
    expect(scores).toEqual(
      new Map([
        [first.hash, 4],
        [second.hash, 2],
      ]),
    );
  });

  it("leaves a file alone that only has the usual name", async () => {
    const browser = await open();
    writeFileSync(fileOf(browser, "mos.csv"), "of,another,kind\n");
    const { file } = await rate(browser, hashOf(1), 5);
    expect(file).toBe("mos-2.csv");
    expect(textOf(browser, "mos.csv")).toBe("of,another,kind\n");
    expect((await loadConfig(browser.project.configFile)).mos?.file).toBe("mos-2.csv");
  });

  it("is undone in order, down to the very bytes", async () => {
    const browser = await open({
      config: "images: photos\nmos: { file: m.csv, image: name, range: [0, 100] }\n",
    });
    const before = '\ufeff"name";"mos";"note"\r\n"image 1";"12,5";"a ""b"""\r\nimage 2.jpg;;x\r\n';
    writeFileSync(fileOf(browser, "m.csv"), before);
    const { images } = await ratingQueue(browser, 10);
    await rate(browser, hashOf(1), 4);
    await rate(browser, hashOf(2), 1);
    await rate(browser, images[0]!.hash, 3);
    const queue = await rate(browser, images[0]!.hash, 5);
    expect(textOf(browser, "m.csv")).toBe(
      `\ufeff"name";"mos";"note"\r\n"image 1";"75";"a ""b"""\r\nimage 2.jpg;0;x\r\n${images[0]!.path};100;\r\n`,
    );
    expect(queue.rated.map(({ rating }) => rating)).toEqual([4, 1, 5]);
    expect(queue.total).toBe(3);
    for (const { hash } of queue.rated.reverse()) await rate(browser, hash, null);
    expect(textOf(browser, "m.csv")).toBe(before);
    const after = await ratingQueue(browser, 10);
    expect(after.rated).toEqual([]);
    expect(after.images).toEqual(images);
  });

  it("comes back to the queue when taken back, whatever the last reading of the MOS says", async () => {
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n" });
    const { images } = await ratingQueue(browser, 5);
    const [{ hash }] = images as [(typeof images)[0]];
    await rate(browser, hash, 2);
    browser.setContext(liveContext(browser.project, { mos: new Map([[hash, 2]]), splitOf }));
    const queue = await rate(browser, hash, null);
    expect(queue.images).toHaveLength(5);
    expect(queue.images.map((row) => row.hash)).toContain(hash);
  });

  it("turns round where lower is better, and keeps decimal commas", async () => {
    const browser = await open({
      config: "images: photos\nmos: { file: m.csv, score: dmos, range: [0, 10], lowerIsBetter: true }\n",
    });
    writeFileSync(fileOf(browser, "m.csv"), "image;dmos\nimage 3.jpg;7,25\n");
    await rate(browser, hashOf(1), 4);
    await rate(browser, hashOf(2), 5);
    expect(textOf(browser, "m.csv")).toBe(
      "image;dmos\nimage 3.jpg;7,25\nphotos/image 1.jpg;2,5\nphotos/image 2.jpg;0\n",
    );
  });

  it("keeps a link a link, and UTF-16 UTF-16", async () => {
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n" });
    mkdirSync(fileOf(browser, "shared"));
    writeFileSync(fileOf(browser, "shared/real.csv"), Buffer.from("\ufeffimage\tmos\r\n", "utf16le"));
    symlinkSync("shared/real.csv", fileOf(browser, "m.csv"));
    await rate(browser, hashOf(1), 4);
    expect(readFileSync(fileOf(browser, "shared/real.csv")).toString("utf16le")).toBe(
      "\ufeffimage\tmos\r\nphotos/image 1.jpg\t4\r\n",
    );
  });

  it("loses none of many given at once", async () => {
    const browser = await open();
    await Promise.all(Array.from({ length: 20 }, (_, i) => rate(browser, hashOf(i), 1 + (i % 5))));
    expect(textOf(browser, "mos.csv").trim().split("\n")).toHaveLength(21);
    const { rated, total } = await ratingQueue(browser, 0);
    expect(rated).toHaveLength(20);
    expect(total).toBe(20);
  });

  it("refuses what would do damage, in a sentence", async () => {
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n" });
    await expect(rate(browser, hashOf(1), 6)).rejects.toThrow("between 1 and 5");
    await expect(rate(browser, hashOf(999), 3)).rejects.toThrow("not in the project");
    writeFileSync(fileOf(browser, "m.csv"), Buffer.from("image,mos\nf\xfcr.jpg,3\n", "latin1"));
    await expect(rate(browser, hashOf(1), 3)).rejects.toThrow("m.csv is not UTF-8");
    writeFileSync(fileOf(browser, "m.csv"), "image,score\n");
    await expect(rate(browser, hashOf(1), 3)).rejects.toThrow('m.csv has no column "mos"');
    expect(textOf(browser, "m.csv")).toBe("image,score\n");
  });

  it("goes to no file that is not a CSV file of names and scores, and leaves it as it is", async () => {
    const fixtures = path.resolve("test/fixtures/datasets");
    for (const [file, also] of [
      ["csiq.DMOS.xlsx", ""],
      ["zstd.parquet", ", score: score"],
      ["mos_with_names.txt", ""],
      ["list.json", ""],
      ["list.jsonl", ""],
      ["csiq.csv", ""],
    ] as const) {
      const mos = new Map([[hashOf(1), 3]]);
      const browser = await open({ config: `images: photos\nmos: { file: ${file}${also} }\n`, mos });
      if (file === "csiq.csv")
        writeFileSync(fileOf(browser, file), "image,dst_type,dst_lev,dmos\n1600,blur,1,0.5\n");
      else if (existsSync(path.join(fixtures, file)))
        copyFileSync(path.join(fixtures, file), fileOf(browser, file));
      else
        writeFileSync(
          fileOf(browser, file),
          file.endsWith("l") ? '{"image":"a","mos":3}\n' : '[{"image":"a","mos":3}]',
        );
      const before = readFileSync(fileOf(browser, file));
      for (const rating of [4, null])
        await expect(rate(browser, hashOf(2), rating), file).rejects.toMatchObject({
          code: "config",
          message: `Ratings can only be written to a CSV file with a column of names and one of scores, not to ${file}.`,
          remedy: "Name a CSV file of your own, such as mos.csv, under `mos.file` of the config.",
        });
      expect(readFileSync(fileOf(browser, file)).equals(before), file).toBe(true);
      // Looking at what there is to rate stays possible.
      expect((await ratingQueue(browser, 5)).total, file).toBe(1);
    }
    const browser = await open({ config: "images: photos\nmos: { file: none.parquet }\n" });
    await expect(rate(browser, hashOf(2), 4)).rejects.toThrow("not to none.parquet");
    expect(existsSync(fileOf(browser, "none.parquet"))).toBe(false);
  });

  it("and its undoing leave any file as it was", async () => {
    const cell = fc.constantFrom("", "x", '"q, ""r"""', "'", "ü", '"1;2"');
    const row = fc.record({
      image: fc.nat(30),
      dir: fc.boolean(),
      score: fc.constantFrom("", "3", '"2.50"', " 4 "),
      note: cell,
    });
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n" });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(row, { selector: (one) => one.image, maxLength: 6 }),
        fc.constantFrom("\n", "\r\n"),
        fc.constantFrom("", "\ufeff"),
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 5 }),
        async (rows, lineEnd, bom, last, given) => {
          const lines = rows.map(
            ({ image, dir, score, note }) => `${note},${dir ? "photos/" : ""}image ${image}.jpg,${score}`,
          );
          const before = bom + ["note,image,mos", ...lines].join(lineEnd) + (last ? lineEnd : "");
          writeFileSync(fileOf(browser, "m.csv"), before);
          for (const [i, rating] of given) await rate(browser, hashOf(i), rating);
          const wanted = new Map(given.map(([i, rating]) => [`image ${i}.jpg`, String(rating)]));
          const text = textOf(browser, "m.csv");
          for (const [name, rating] of wanted)
            expect(text.split(/\r?\n/).find((line) => line.includes(name))).toMatch(
              new RegExp(`,"?${rating}"?$`),
            );
          const { rated } = await ratingQueue(browser, 0);
          for (const { hash } of rated.reverse()) await rate(browser, hash, null);
          expect(textOf(browser, "m.csv")).toBe(before);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("excluding images", () => {
  it("leaves out all copies of an image, and says how many entries are new", async () => {
    const browser = await open({ config: "images: photos # all\n" });
    putIndex(browser.project, [{ path: "photos/copy.jpg", hash: hashOf(1) }]);
    expect(await excludeImages(browser.project, ["photos/image 1.jpg"])).toBe(2);
    expect(textOf(browser, "leaf.yaml")).toBe(
      'images: [photos, "!photos/image 1.jpg", "!photos/copy.jpg"] # all\n',
    );
    expect(await excludeImages(browser.project, ["photos/copy.jpg"])).toBe(0);
  });
});

describe("several raters", () => {
  const rows = (browser: Browser) =>
    textOf(browser, "ratings.csv")
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "TIME"));

  it("have a row each, of which the reader of raw ratings makes the MOS", async () => {
    const browser = await open();
    await rate(browser, hashOf(1), 4, { rater: "Ada" });
    await rate(browser, hashOf(2), 5, { rater: "Ada" });
    await rate(browser, hashOf(1), 1, { rater: "=Bo" });
    expect(rows(browser)).toEqual([
      "image,rating,rater,time",
      "photos/image 1.jpg,4,Ada,TIME",
      "photos/image 2.jpg,5,Ada,TIME",
      "photos/image 1.jpg,1,'=Bo,TIME",
    ]);
    const { mos, root } = await loadConfig(browser.project.configFile).then((config) => ({
      mos: config.mos!,
      root: browser.project.root,
    }));
    expect(mos).toMatchObject({ file: "ratings.csv", score: "rating", rater: "rater", range: [1, 5] });
    const index = openIndex(browser.project.indexFile);
    onTestFinished(() => index.close());
    const read = await readMos({ ...mos, file: path.join(root, mos.file) }, index);
    // By hand: (4 + 1) / 2, standard deviation 3 / sqrt 2.
    expect([...read.scores]).toEqual([
      [hashOf(1), 2.5],
      [hashOf(2), 5],
    ]);
    expect(read.stds.get(hashOf(1))).toBeCloseTo(3 / Math.SQRT2, 12);
    expect(read.problems).toEqual([]);
  });

  it("change and take back their own rating alone", async () => {
    const browser = await open();
    await rate(browser, hashOf(1), 4, { rater: "Ada" });
    await rate(browser, hashOf(1), 1, { rater: "Bo" });
    await rate(browser, hashOf(1), 2, { rater: "Bo" });
    expect(rows(browser).slice(1)).toEqual(["photos/image 1.jpg,4,Ada,TIME", "photos/image 1.jpg,2,Bo,TIME"]);
    await rate(browser, hashOf(1), null, { rater: "Cy" });
    await rate(browser, hashOf(1), null, { rater: "Bo" });
    expect(rows(browser).slice(1)).toEqual(["photos/image 1.jpg,4,Ada,TIME"]);
    await rate(browser, hashOf(1), null, { rater: "Ada" });
    expect(rows(browser)).toEqual(["image,rating,rater,time"]);
  });

  it("are each asked for the same images, and see their own ratings alone", async () => {
    const browser = await open();
    const first = await ratingQueue(browser, 6, { rater: "Ada" });
    const [image] = first.images;
    const after = await rate(browser, image!.hash, 4, { rater: "Ada" });
    expect(after.file).toBe("ratings.csv");
    expect(after.images).toHaveLength(5);
    const other = await ratingQueue(browser, 6, { rater: "Bo" });
    expect(other.images).toEqual(first.images);
    expect(other.rated).toEqual([]);
    const both = await rate(browser, image!.hash, 2, { rater: "Bo" });
    expect(both).toMatchObject({ rated: [{ hash: image!.hash, rating: 2 }], total: 2 });
    expect((await ratingQueue(browser, 6, { rater: "Ada" })).rated).toMatchObject([{ rating: 4 }]);
  });

  it("see an image again after enough others; its second rating has a row of its own", async () => {
    const browser = await open();
    const sitting = { rater: "Ada", repeatEvery: 4 };
    let queue = await ratingQueue(browser, 30, sitting);
    const order = queue.images.map(({ hash }) => hash);
    for (let i = 0; i < 10; i++) {
      queue = await rate(browser, order[i]!, 1 + (i % 5), sitting);
      expect(queue.repeat).toBeUndefined();
    }
    queue = await rate(browser, order[10]!, 1, sitting);
    // Only the first one is as old as ten others.
    expect(queue.repeat?.hash).toBe(order[0]);
    expect((await ratingQueue(browser, 30, { ...sitting, repeatEvery: 0 })).repeat).toBeUndefined();
    expect((await ratingQueue(browser, 30, { ...sitting, rater: "Bo" })).repeat).toBeUndefined();
    queue = await rate(browser, order[0]!, 3, { ...sitting, repeat: true });
    const name = queue.rated[0]!.path;
    const own = () => rows(browser).filter((line) => line.startsWith(`${name},`));
    expect(own()).toEqual([`${name},1,Ada,TIME`, `${name},3,Ada,TIME`]);
    expect(queue.retest).toEqual({ rater: "Ada", images: 1, srcc: null, meanDifference: 2, sd: Math.SQRT2 });
    expect(queue.rated.at(-1)).toMatchObject({ hash: order[0], rating: 3, repeat: true });
    // Another is due, but none is old enough.
    expect(queue.repeat).toBeUndefined();
    // A change of mind is of the first rating; what is taken back, of the second.
    await rate(browser, order[0]!, 2, sitting);
    expect(own()).toEqual([`${name},2,Ada,TIME`, `${name},3,Ada,TIME`]);
    queue = await rate(browser, order[0]!, null, { ...sitting, repeat: true });
    expect(own()).toEqual([`${name},2,Ada,TIME`]);
    expect(queue.retest).toBeUndefined();
    await rate(browser, order[0]!, null, sitting);
    expect(own()).toEqual([]);
  });

  it("do not come twice where the file has one score an image", async () => {
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n" });
    writeFileSync(fileOf(browser, "m.csv"), "image,mos\n");
    const sitting = { rater: "Ada", repeatEvery: 1 };
    for (let i = 0; i < 12; i++) await rate(browser, hashOf(i), 3, sitting);
    const queue = await ratingQueue(browser, 30, sitting);
    expect(queue.repeat).toBeUndefined();
    expect(queue.rater).toBeNull();
  });

  it("must be told apart, or nothing is written", async () => {
    const browser = await open();
    await rate(browser, hashOf(1), 4, { rater: "Ada" });
    const before = textOf(browser, "ratings.csv");
    for (const rating of [3, null])
      await expect(rate(browser, hashOf(1), rating)).rejects.toThrow("it is not known who rates");
    expect(textOf(browser, "ratings.csv")).toBe(before);
  });

  it("write into a table of another tool, whose other columns stay", async () => {
    const browser = await open({
      config: "images: photos\nmos: { file: r.csv, score: stars, rater: user_id }\n",
    });
    const text = "user_id;image;device;stars\nu1;image 1.jpg;tv;3\n";
    writeFileSync(fileOf(browser, "r.csv"), text);
    await rate(browser, hashOf(1), 5, { rater: "u2" });
    await rate(browser, hashOf(1), 4, { rater: "u1" });
    expect(textOf(browser, "r.csv")).toBe(
      "user_id;image;device;stars\nu1;image 1.jpg;tv;4\nu2;photos/image 1.jpg;;5\n",
    );
    await rate(browser, hashOf(1), null, { rater: "u2" });
    await rate(browser, hashOf(1), null, { rater: "u1" });
    expect(textOf(browser, "r.csv")).toBe(text);
  });

  it("of a file of one score an image do as one who rates alone", async () => {
    const browser = await open({ config: "images: photos\nmos: { file: m.csv }\n" });
    writeFileSync(fileOf(browser, "m.csv"), "image,mos\n");
    await rate(browser, hashOf(1), 4, { rater: "Ada" });
    await rate(browser, hashOf(1), 2, { rater: "Bo" });
    expect(textOf(browser, "m.csv")).toBe("image,mos\nphotos/image 1.jpg,2\n");
  });
});
