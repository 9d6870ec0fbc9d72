import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { groupMatcher } from "../../../src/engine/dataset/groups.ts";
import { metricsOfFiles } from "../../../src/engine/dataset/metricsOfFiles.ts";
import { evaluateMetrics } from "../../../src/engine/metrics/agreement.ts";
import { groupsOf } from "../../../src/engine/metrics/groups.ts";
import { toCsv } from "../../../src/engine/tables/csvText.ts";
import { groupsNote } from "../../../src/words/groups.ts";
import { english } from "../../../src/words/translate.ts";
import { temporaryFolder } from "../../support/pictures.ts";

test("draws the intervals by a column of either file, or by a part of the names", async () => {
  const dir = temporaryFolder();
  const random = seededRandom("metrics of files");
  const rows = Array.from({ length: 42 }, (_, i) => {
    const mos = (i % 7) + random();
    return { image: `photo${i % 7}_${10 + i}.png`, mos, score: mos + 2 * random(), photo: `p${i % 7}` };
  }).sort((a, b) => (a.image < b.image ? -1 : 1));
  const [predictions, truth] = ["scores.csv", "mos.csv"].map((name) => path.join(dir, name)) as [
    string,
    string,
  ];
  writeFileSync(
    predictions,
    toCsv(
      ["image", "score"],
      rows.map((row) => [row.image, row.score]),
    ),
  );
  writeFileSync(
    truth,
    toCsv(
      ["photo", "mos", "image"],
      rows.map((row) => [row.photo, row.mos, row.image]),
    ),
  );
  const columns = [rows.map(({ score }) => score), rows.map(({ mos }) => mos)].map((one) =>
    Float64Array.from(one),
  ) as [Float64Array, Float64Array];
  const expected = evaluateMetrics(...columns, {
    bootstrap: 200,
    seed: 0,
    groups: groupsOf(rows.map(({ photo }) => photo)),
  });
  const found = await metricsOfFiles(predictions, truth, { bootstrap: 200, groupBy: { column: "photo" } });
  expect(found).toMatchObject({ ...expected, groups: 7, unmatched: 0 });
  const byName = await metricsOfFiles(predictions, truth, {
    bootstrap: 200,
    groupBy: groupMatcher("^(photo[0-9])_"),
  });
  // Its groups are the same ones under their own names.
  for (const group of byName.breakdown.groups!.lowest) group.name = group.name.replace("photo", "p");
  expect(byName).toEqual(found);
  expect(
    await metricsOfFiles(truth, predictions, { bootstrap: 0, groupBy: { column: "photo" } }),
  ).toHaveProperty("groups", 7);
  const byImage = await metricsOfFiles(predictions, truth, { bootstrap: 200 });
  expect(byImage).not.toHaveProperty("groups");
  expect(byImage.ci95).not.toEqual(found.ci95);
  await expect(
    metricsOfFiles(predictions, truth, { bootstrap: 200, groupBy: { column: "no" } }),
  ).rejects.toMatchObject({
    code: "input",
  });
});

test("few groups are told to be few", () => {
  expect(groupsNote(english, undefined)).toBe("");
  expect(groupsNote(english, 10)).toBe("Intervals by group (10 groups).");
  expect(groupsNote(english, 7)).toContain("(7 groups). With fewer than 10 groups");
});

test("compares two predictions on the images of all three files, and tells of parts", async () => {
  const dir = temporaryFolder();
  const write = (name: string, rows: [string, number][]) => {
    const file = path.join(dir, name);
    writeFileSync(file, toCsv(["image", name === "mos.csv" ? "mos" : "score"], rows));
    return file;
  };
  const named = (values: number[], first = 0): [string, number][] =>
    values.map((value, i) => [`g${(first + i) % 2}_${first + i}.png`, value]);
  const mos = write("mos.csv", named([1, 2, 3, 4, 5, 6, 7, 8, 9, 11]));
  const a = write("a.csv", named([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  // Of images 4 to 9: ranks 2 1 4 3 6 5, six off by one: 1 − 6 · 6 / 210.
  const b = write("b.csv", named([2, 1, 4, 3, 6, 5, 0], 4));
  const alone = await metricsOfFiles(a, mos, { bootstrap: 100, groupBy: groupMatcher("^(g[01])_") });
  expect(alone.against).toBeUndefined();
  // Fifths of 1 … 11 by the grades: bounds at 2.25, 4.75, 7.25 and 9.75.
  expect(alone.breakdown.bands.map(({ name, n }) => [name, n])).toEqual([
    ["excellent", 1],
    ["good", 2],
    ["fair", 3],
    ["poor", 2],
    ["bad", 2],
  ]);
  expect(alone.breakdown.groups).toMatchObject({ count: 2, srcc: [1, 1, 1] });
  const both = await metricsOfFiles(a, mos, { bootstrap: 100, against: b });
  expect(both.n).toBe(6);
  expect(both.against!.srcc).toMatchObject({ a: 1, b: expect.closeTo(1 - 36 / 210, 12) });
  expect(both.against!.srcc.test!.difference).toBeCloseTo(36 / 210, 12);
});
