import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexDataset, openIndex } from "../../../src/engine/dataset/dataset.ts";
import { type Mos, readMos } from "../../../src/engine/dataset/readMos.ts";
import { mosToStudent, studentToMos } from "../../../src/engine/mos/scale.ts";
import { makeIndex, type TestIndex } from "../../support/imageIndex.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const files = [
  "photos/a.png",
  "photos/b.png",
  "photos/Sub/c.one.jpg",
  "photos/x/same.png",
  "photos/y/same.png",
];

async function read(
  text: string | Buffer,
  options: Partial<Parameters<typeof readMos>[0]> & { columns?: string[] } = {},
  test: TestIndex = makeIndex(files),
): Promise<Mos & { of(file: string): number | undefined }> {
  const file = path.join(temporaryFolder(), "mos.csv");
  writeFileSync(file, text);
  const { columns, ...source } = options;
  const mos = await readMos({ file, image: "image", score: "mos", range: [1, 5], ...source }, test.index, {
    columns,
  });
  return { ...mos, of: (name) => mos.scores.get(test.hashOf(name)) };
}

describe("readMos", () => {
  it("reads a plain file", async () => {
    const mos = await read("image,mos\nphotos/a.png,3.5\nphotos/b.png,1\n");
    expect(mos.of("photos/a.png")).toBe(3.5);
    expect(mos.of("photos/b.png")).toBe(1);
    expect(mos).toMatchObject({ rows: 2, problems: [], unscored: 3 });
  });

  it("understands delimiters, a byte order mark, quotes, CRLF and UTF-16", async () => {
    for (const text of [
      "\ufeffimage,mos\r\na.png,3.5\r\n",
      "image;mos\na.png;3,5\n",
      "image\tmos\na.png\t3.5",
      'mos,"image"\n"3.5","a.png"\n',
      '"image, the file";mos;image\n1;+3.50e0;a.png\n',
    ])
      expect((await read(text)).of("photos/a.png"), JSON.stringify(text)).toBe(3.5);
    expect((await read(Buffer.from("\ufeffimage,mos\na.png,3.5\n", "utf16le"))).of("photos/a.png")).toBe(3.5);
    expect((await read('image,mos\na.png,"3,5"\n')).counts.notANumber).toBe(1);
  });

  it("matches by path, end of path, name, stem, and at last without case", async () => {
    const row = async (name: string) => [...(await read(`image,mos\n"${name}",2\n`)).scores.keys()];
    const test = makeIndex(files);
    for (const [name, file] of [
      ["photos/a.png", "photos/a.png"],
      ["./photos/a.png", "photos/a.png"],
      ["photos\\a.png", "photos/a.png"],
      ["Sub/c.one.jpg", "photos/Sub/c.one.jpg"],
      ["x/same.png", "photos/x/same.png"],
      ["elsewhere/a.png", "photos/a.png"],
      ["a.png", "photos/a.png"],
      ["a", "photos/a.png"],
      ["a.bmp", "photos/a.png"],
      ["c.one", "photos/Sub/c.one.jpg"],
      ["y/same", "photos/y/same.png"],
      ["A.PNG", "photos/a.png"],
      ["PHOTOS/SUB/C.ONE.JPG", "photos/Sub/c.one.jpg"],
      ["C.One", "photos/Sub/c.one.jpg"],
    ] as const)
      expect(await row(name), name).toEqual([test.hashOf(file)]);
    expect(await row("c")).toEqual([]);
  });

  it("prefers the exact case, and takes copies for one image", async () => {
    const test = makeIndex(["p/a.png", "p/A.png", "q/copy.png", "r/copy.png"], {
      "r/copy.png": "q/copy.png",
    });
    const mos = await read("image,mos\na.png,1\nA.png,2\ncopy.png,3\n", {}, test);
    expect([mos.of("p/a.png"), mos.of("p/A.png"), mos.of("q/copy.png")]).toEqual([1, 2, 3]);
    expect(mos.problems).toEqual([]);
  });

  it("reports bad rows with their lines", async () => {
    const mos = await read(
      [
        "image,mos",
        "photos/a.png,good",
        "photos/a.png,6",
        "same.png,3",
        "nothing.png,3",
        "photos/b.png,",
        ",3",
        "photos/b.png,0x2",
        "photos/a.png,2",
        "photos/a.png,2.0",
        "a.png,4",
        "photos/b.png",
        "photos/b.png,NaN",
      ].join("\n"),
    );
    expect(mos.problems.map(({ kind, line }) => [kind, line])).toEqual([
      ["notANumber", 2],
      ["outOfRange", 3],
      ["ambiguous", 4],
      ["noImage", 5],
      ["notANumber", 6],
      ["noName", 7],
      ["notANumber", 8],
      ["conflict", 11],
      ["notANumber", 12],
      ["notANumber", 13],
    ]);
    expect(mos.counts).toMatchObject({ duplicate: 1, conflict: 1, notANumber: 5 });
    expect(mos.of("photos/a.png")).toBe(2);
    expect(mos).toMatchObject({ rows: 12, unscored: 4 });
    expect(mos.problems[2]!.message).toContain("photos/x/same.png");
    expect(mos.problems[1]!.message).toBe("The score 6 is outside the range 1 to 5.");
  });

  it("bounds the list of problems, not the counts", async () => {
    const mos = await read(`image,mos\n${"nothing.png,3\n".repeat(250)}`);
    expect(mos.problems).toHaveLength(100);
    expect(mos.counts.noImage).toBe(250);
  });

  it("names the columns there are", async () => {
    await expect(read("name,score,scene\na,1,x\n", { score: "scores" })).rejects.toMatchObject({
      code: "config",
      message: 'mos.csv has no column "image"; it has "name", "score", "scene".',
    });
    await expect(read("image,score\na,1\n", { score: "scroe" })).rejects.toMatchObject({
      code: "config",
      line: 1,
      remedy: 'Did you mean "score"?',
    });
    await expect(read("image,mos,mos\na,1,2\n")).rejects.toThrow(/two columns "mos"/);
    await expect(read("")).rejects.toThrow(/is empty/);
    await expect(read('image,mos\n"a.png,3\n')).rejects.toMatchObject({ code: "input" });
    await expect(
      readMos({ file: "/none/mos.csv", image: "image", score: "mos", range: [1, 5] }, makeIndex([]).index),
    ).rejects.toMatchObject({ code: "config", message: /does not exist/ });
    await expect(
      readMos({ file: temporaryFolder(), image: "image", score: "mos", range: [1, 5] }, makeIndex([]).index),
    ).rejects.toMatchObject({ code: "config", message: /is a folder/ });
  });

  it("gives the columns asked for", async () => {
    const test = makeIndex(files);
    const mos = await read(
      "image,mos,scene,camera\na.png,3,beach,x\nb.png,bad,wood,y\n",
      { columns: ["scene"] },
      test,
    );
    expect(mos.columns.get(test.hashOf("photos/a.png"))).toEqual({ scene: "beach" });
    expect(mos.columns.get(test.hashOf("photos/b.png"))).toEqual({ scene: "wood" });
    await expect(read("image,mos\na.png,3\n", { columns: ["scene"] })).rejects.toThrow(/no column "scene"/);
  });

  it("reads back any CSV that is written by the rules", async () => {
    const test = makeIndex(files);
    const cell = fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("\0", ""));
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const row = fc.record({ score: fc.double({ min: 1, max: 5, noNaN: true }), note: cell });
    const unique = ["photos/a.png", "photos/b.png", "photos/Sub/c.one.jpg"];
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n"),
        async (rows, delimiter, newline) => {
          const lines = rows.map(({ score, note }, i) =>
            [quote(note), String(score), quote(unique[i]!)].join(delimiter),
          );
          const text = [["note", "mos", "image"].join(delimiter), ...lines, ""].join(newline);
          const mos = await read(text, { columns: ["note"] }, test);
          expect(mos.problems).toEqual([]);
          for (const [i, { score, note }] of rows.entries()) {
            expect(mos.of(unique[i]!)).toBe(score);
            expect(mos.columns.get(test.hashOf(unique[i]!))).toEqual({ note });
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("scales", () => {
  it("maps both ways", () => {
    expect(mosToStudent(0, { range: [0, 100] })).toBe(1);
    expect(mosToStudent(75, { range: [0, 100] })).toBe(4);
    expect(mosToStudent(0, { range: [0, 100], lowerIsBetter: true })).toBe(5);
    expect(studentToMos(3, { range: [0, 100] })).toBe(50);
    expect(studentToMos(5, { range: [0, 9], lowerIsBetter: true })).toBe(0);
    const scale = fc.record({
      range: fc
        .tuple(fc.integer({ min: -100, max: 99 }), fc.integer({ min: 1, max: 200 }))
        .map(([lo, by]) => [lo, lo + by] as const),
      lowerIsBetter: fc.boolean(),
    });
    fc.assert(
      fc.property(scale, fc.double({ min: -300, max: 300, noNaN: true }), (s, mos) => {
        expect(studentToMos(mosToStudent(mos, s), s)).toBeCloseTo(mos, 6);
      }),
    );
  });
});

describe("on a real index", () => {
  it("keeps unusable images out", async () => {
    const root = temporaryFolder();
    writeFileSync(path.join(root, "good.png"), await picture().png().toBuffer());
    writeFileSync(path.join(root, "bad.png"), "text");
    writeFileSync(path.join(root, "mos.csv"), "image,mos\ngood.png,4\nbad.png,2\n");
    const indexFile = path.join(root, ".leaf", "index.sqlite");
    await indexDataset({ root, images: ".", indexFile });
    const index = openIndex(indexFile);
    const mos = await readMos(
      { file: path.join(root, "mos.csv"), image: "image", score: "mos", range: [1, 5] },
      index,
    );
    expect([...mos.scores.values()]).toEqual([4]);
    expect(mos.problems).toMatchObject([{ kind: "unreadable", line: 3 }]);
    index.close();
  });
});
