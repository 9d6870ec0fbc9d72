import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitImages } from "../../../src/engine/dataset/split.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const images = ["p/a.png", "p/b.png", "p/c.png", "p/d.png"];

async function split(text: string, as: string, keys: { image?: string; column?: string } = {}) {
  const file = path.join(temporaryFolder(), as);
  writeFileSync(file, text);
  const test = makeIndex(images);
  const { of } = await splitImages(test.index, {
    test: 0.2,
    val: 0.1,
    seed: 0,
    groupBy: null,
    file,
    ...keys,
  });
  return images.map((image) => of.get(test.hashOf(image)));
}

describe("splits of the field", () => {
  it("ten splits in one table, each a column of its name, as pyiqa has them", async () => {
    const columns = Array.from(
      { length: 10 },
      (_, i) => `ratio802_seed123_split_${String(i + 1).padStart(2, "0")}`,
    );
    const rows = images.map((image, i) =>
      [
        path.basename(image),
        3,
        ...columns.map((_, k) => (k === i ? "test" : k === i + 4 ? "val" : "train")),
      ].join(","),
    );
    const text = `img_name,mos,${columns.join(",")}\n${rows.join("\n")}\n`;
    for (const [k, column] of columns.entries())
      expect(await split(text, "meta_info.csv", { image: "img_name", column })).toEqual(
        images.map((_, i) => (k === i ? "test" : k === i + 4 ? "val" : "train")),
      );
  });

  it("codes 0, 1 and 2, where all three are there", async () => {
    expect(await split("image,split\na,0\nb,1\nc,2\nd,0\n", "s.csv")).toEqual([
      "train",
      "val",
      "test",
      "train",
    ]);
    // Which of the two is the test?
    await expect(split("image,split\na,0\nb,1\nc,1\nd,0\n", "s.csv")).rejects.toMatchObject({
      code: "config",
      message: 's.csv:2: "0" is not a split.',
    });
    await expect(split("image,split\na,0\nb,1\nc,2\nd,3\n", "s.csv")).rejects.toMatchObject({
      code: "config",
    });
  });

  it("lists of names in JSON, one split or many", async () => {
    const lists = { train: ["a.png", "d.png"], val: ["b.png"], test: ["c.png"] };
    expect(await split(JSON.stringify(lists), "s.json")).toEqual(["train", "val", "test", "train"]);
    const many = { "1": lists, "2": { train: ["a.png"], test: ["b.png", "c.png", "d.png"], val: [] } };
    expect(await split(JSON.stringify(many), "s.json", { column: "2" })).toEqual([
      "train",
      "test",
      "test",
      "test",
    ]);
    // Places in another file's rows say nothing by themselves.
    await expect(split(JSON.stringify({ train: [0, 1], test: [2] }), "s.json")).rejects.toMatchObject({
      code: "config",
    });
  });

  it("come back from JSON as they were written", async () => {
    const name = fc.constantFrom("train", "val", "test");
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 4, maxLength: 4 }), async (of) => {
        const lists = Object.fromEntries(
          ["train", "val", "test"].map((one) => [one, images.filter((_, i) => of[i] === one)]),
        );
        expect(await split(JSON.stringify(lists), "s.json")).toEqual(of);
      }),
      { numRuns: 15 },
    );
  });
});
