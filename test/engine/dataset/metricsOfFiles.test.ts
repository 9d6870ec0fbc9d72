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
  expect(
    await metricsOfFiles(predictions, truth, { bootstrap: 200, groupBy: groupMatcher("^(photo[0-9])_") }),
  ).toEqual(found);
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
