import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readCells } from "../../bench/human/cells.ts";
import { humanTable } from "../../bench/human/table.ts";
import { seededRandom } from "../../src/engine/base/random.ts";
import { plcc, srcc } from "../../src/engine/metrics/agreement.ts";
import { toCsv } from "../../src/engine/tables/csvText.ts";
import { temporaryFolder } from "../support/pictures.ts";

const random = seededRandom("human table");
const photos = Array.from({ length: 60 }, (_, i) => ({
  image: `photos/p ${i}.jpg`,
  group: i < 40 ? `series ${i % 8}` : "",
  source: i % 2 === 0 ? "camera" : "phone",
  mos: random(),
}));

/** A cell as `runCell` leaves it: predictions of the first 50 images, off by some noise. */
function writeCell(out: string, draw: number, noise: number): [score: Float64Array, mos: Float64Array] {
  const rows = photos.slice(0, 50).map(({ image, mos }) => ({ image, mos, score: mos + noise * random() }));
  const name = `ridge-45-0-${draw}`;
  writeFileSync(
    path.join(out, "cells", `${name}.csv`),
    toCsv(
      ["image", "hash", "score", "mos"],
      rows.map((row) => [row.image, "h", row.score, row.mos]),
    ),
  );
  const cell = { arm: "ridge", count: 45, split: 0, draw, ratings: 45, seconds: 1 + draw, from: "backbone" };
  const predictions = `cells/${name}.csv`;
  writeFileSync(
    path.join(out, "cells", `${name}.json`),
    JSON.stringify({ ...cell, predictions, config: "" }),
  );
  return [Float64Array.from(rows, (row) => row.score), Float64Array.from(rows, (row) => row.mos)];
}

test("means, deviations and figures within sources are those of the draws; intervals hold the means", async () => {
  const out = temporaryFolder();
  mkdirSync(path.join(out, "cells"));
  const drawn = [1, 2, 0.5].map((noise, draw) => writeCell(out, draw, noise));
  const cells = await readCells(out);
  expect(cells).toHaveLength(3);
  const { figures, text } = await humanTable(out, cells, photos, new Map([["joint", "unknown key"]]));
  expect(figures).toHaveLength(1);
  const [row] = figures;
  const values = drawn.map(([score, mos]) => srcc(score, mos)!);
  const mean = (of: number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  expect(row).toMatchObject({ arm: "ridge", ratings: 45, draws: 3, splits: 1, images: 50, seconds: 2 });
  expect(row!.srcc.mean).toBeCloseTo(mean(values), 12);
  const variance = values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / 2;
  expect(row!.srcc.sd).toBeCloseTo(Math.sqrt(variance), 12);
  expect(row!.plcc.mean).toBeCloseTo(mean(drawn.map(([score, mos]) => plcc(score, mos)!)), 12);
  const within = drawn.map(([score, mos]) =>
    mean(
      [0, 1].map(
        (odd) =>
          srcc(
            ...([score, mos].map((all) => all.filter((_, i) => i % 2 === odd)) as [
              Float64Array,
              Float64Array,
            ]),
          )!,
      ),
    ),
  );
  expect(row!.within!.mean).toBeCloseTo(mean(within), 12);
  const width = ([low, high]: readonly [number, number]) => high - low;
  expect(row!.srcc.ci95[0]).toBeLessThan(row!.srcc.mean);
  expect(row!.srcc.ci95[1]).toBeGreaterThan(row!.srcc.mean);
  expect(width(row!.srcc.ci95)).toBeGreaterThan(0.05);
  expect(text).toContain("60 images in 28 groups; 50 of them held out.");
  expect(text).toContain("Not measured: joint: unknown key");
});
