import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricsOfFiles } from "../../../src/engine/dataset/metricsOfFiles.ts";
import { openTable } from "../../../src/engine/tables/table.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const scores = [3.1, 1.2, 4.4, 2.2, 5];
const truth = [3, 1, 5, 2, 4];
/** Ranks 3 1 4 2 5 and 3 1 5 2 4: 1 − 6 · 2 / (5 · 24). */
const srcc = 0.9;
const names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"];

function files(predictions: string, human: string, as = ["scores.csv", "mos.csv"]): [string, string] {
  const dir = temporaryFolder();
  return [predictions, human].map((text, i) => {
    const file = path.join(dir, as[i]!);
    writeFileSync(file, text);
    return file;
  }) as [string, string];
}

const csv = (head: string, images: string[], values: readonly (number | string)[]) =>
  `${head}\n${images.map((image, i) => `${image},${values[i]}`).join("\n")}\n`;
const plain = csv("image,mos", names, truth);

describe("metrics of files", () => {
  it("match images as `mos.file` does", async () => {
    for (const [write, head] of [
      [(name: string) => `photos/${name}`, "image,score"],
      [(name: string) => name.slice(0, -4), "img_name,prediction"],
      [(name: string) => name.toUpperCase(), "filename,pred"],
      [(name: string) => `/data/upload/3/0badcafe-${name}`, "image,score"],
      [(name: string) => `https://host/x/${name}?v=1`, "url,score"],
    ] as const) {
      const found = await metricsOfFiles(...files(csv(head, names.map(write), scores), plain), {
        bootstrap: 0,
      });
      expect([found.n, found.unmatched, found.srcc], head).toEqual([5, 0, expect.closeTo(srcc, 12)]);
      // And the other way round.
      const turned = await metricsOfFiles(
        ...files(csv("image,score", names, scores), csv("image,mos", names.map(write), truth)),
        { bootstrap: 0 },
      );
      expect([turned.n, turned.unmatched, turned.srcc]).toEqual([5, 0, expect.closeTo(srcc, 12)]);
    }
  });

  it("say how many matched", async () => {
    const found = await metricsOfFiles(
      ...files(
        csv("image,score", [...names, "z.jpg"], [...scores, 1]),
        csv("image,mos", names.slice(1), truth),
      ),
      { bootstrap: 0 },
    );
    expect(found).toMatchObject({ n: 4, images: { predictions: 6, truth: 4 }, unmatched: 2 });
  });

  it("take names that are ambiguous for none, and say so", async () => {
    const notes: unknown[] = [];
    const found = await metricsOfFiles(
      ...files(csv("image,score", ["x/a.jpg", "y/a.jpg", ...names.slice(1)], [1, ...scores]), plain),
      { bootstrap: 0, onNote: (note) => notes.push(note) },
    );
    expect(found.n).toBe(4);
    expect(JSON.stringify(notes)).toContain("x/a.jpg");
  });

  it("read layouts, their direction and their range", async () => {
    const csiq = `image,dst_idx,dst_type,dst_lev,dmos,dmos_std\n${names
      .map((_, i) => `1600,1,noise,${i + 1},${(5 - truth[i]!) / 10},0.1`)
      .join("\n")}\n`;
    const own = names.map((_, i) => `dst/1600.AWGN.${i + 1}.png`);
    const pair = files(csv("image,score", own, scores), csiq);
    // A student that was calibrated on it says it on the same scale; a metric of the other direction is told to be so.
    expect((await metricsOfFiles(...pair, { bootstrap: 0 })).srcc).toBeCloseTo(-srcc, 12);
    const told = await metricsOfFiles(...pair, { bootstrap: 0, predictions: { lowerIsBetter: false } });
    expect(told.srcc).toBeCloseTo(srcc, 12);
    const lower = await metricsOfFiles(
      ...files(
        csv(
          "image,score",
          names,
          scores.map((s) => 6 - s),
        ),
        plain,
      ),
      {
        bootstrap: 0,
        predictions: { lowerIsBetter: true },
        truth: { lowerIsBetter: false },
      },
    );
    expect(lower.srcc).toBeCloseTo(srcc, 12);
    const cut = await metricsOfFiles(...files(csv("image,score", names, scores), plain), {
      bootstrap: 0,
      truth: { range: [1, 4] },
    });
    expect(cut.n).toBe(4);
  });

  it("read columns that are named, workbooks, and single ratings with their ceiling", async () => {
    const book = path.resolve("test/fixtures/datasets/csiq.DMOS.xlsx");
    const table = await openTable(book, { prefer: (columns) => columns.includes("dst_type") });
    const at = ["image", "dst_lev", "dmos"].map((name) => table.columns.indexOf(name));
    const rows: string[][] = [];
    for await (const batch of table.batches([...at, table.columns.indexOf("dst_type")]))
      for (const { cells } of batch) if (cells[3]!.toLowerCase() === "noise") rows.push(cells);
    expect(rows.length).toBeGreaterThan(0);
    const own = csv(
      "image,score",
      rows.map(([image, level]) => `dst/${image}.AWGN.${level}.png`),
      rows.map(([, , dmos]) => dmos!),
    );
    const [ofBook] = files(own, plain);
    const found = await metricsOfFiles(ofBook, book, { bootstrap: 0 });
    expect([found.n, found.rmse]).toEqual([rows.length, 0]);
    const [predictions] = files(csv("image,score", names, scores), csv("name,opinion,mos", names, truth));
    const dir = path.dirname(predictions);
    const named = await metricsOfFiles(predictions, path.join(dir, "mos.csv"), {
      bootstrap: 0,
      truth: { image: "name", score: "opinion" },
    });
    expect(named.srcc).toBeCloseTo(srcc, 12);
    const raters = path.join(dir, "r.csv");
    writeFileSync(
      raters,
      `image,rater,rating\n${names.flatMap((name, i) => [0, 1].map((by) => `${name},p${by},${truth[i]! + by}`)).join("\n")}\n`,
    );
    const rated = await metricsOfFiles(predictions, raters, { bootstrap: 0 });
    expect(rated.srcc).toBeCloseTo(srcc, 12);
    expect(rated.ceiling).toMatchObject({ images: 5, ratings: 2, splitHalf: 1 });
  });

  it("have a remedy where there is no column or no image in common", async () => {
    await expect(metricsOfFiles(...files("a,b\nx,1\n", plain), { bootstrap: 0 })).rejects.toMatchObject({
      code: "input",
      message: /no column `image`; there are a, b/,
    });
    await expect(
      metricsOfFiles(...files(csv("image,score", ["q.jpg"], [1]), plain), { bootstrap: 0 }),
    ).rejects.toMatchObject({ code: "input", message: /no image in common/ });
  });

  it("do not hang on the order of rows, nor on folders", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(
          names.map((_, i) => i),
          { minLength: 5 },
        ),
        fc.constantFrom("", "p/", "p/q/", "./"),
        async (order, folder) => {
          const found = await metricsOfFiles(
            ...files(
              csv(
                "image,score",
                order.map((i) => folder + names[i]),
                order.map((i) => scores[i]!),
              ),
              plain,
            ),
            { bootstrap: 0 },
          );
          expect([found.n, found.srcc]).toEqual([5, expect.closeTo(srcc, 12)]);
        },
      ),
      { numRuns: 20 },
    );
  });
});
