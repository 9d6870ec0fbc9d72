import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { pairRow, pointRow } from "../../../src/engine/labelling/rows.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { rankImages } from "../../../src/engine/reliability/ranking.ts";
import { ratingProbabilities } from "../../../src/engine/teachers/probit.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const h = (i: number) => i.toString(16).padStart(32, "0");
const n = 8;

it("ranks by preferences, on the scale of the points, and tells the image on which these differ", () => {
  const store = openLabels(path.join(temporaryFolder(), "labels.sqlite"));
  onTestFinished(() => store.close());
  store.registerTeacher({ fingerprint: "t", kind: "fake", description: {} });
  // By points the image 7 is the worst; by pairs it is the best, as its number says.
  const mu = (i: number) => (i === 7 ? 1.6 : 2 + i * 0.3);
  const probabilities = (i: number) => ratingProbabilities(mu(i), 0.5, [1.5, 2.5, 3.5, 4.5]);
  store.putPoints(
    "t",
    Array.from({ length: n }, (_, i) =>
      pointRow(h(i), { ok: true, probabilities: probabilities(i), mass: 1 }),
    ),
  );
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const p = 1 / (1 + Math.exp(j - i));
      store.putPairs("t", [pairRow([h(i), h(j)], { ok: true, pAB: p, pBA: p })]);
    }
  const all = new Set(Array.from({ length: n }, (_, i) => h(i)));
  const ranked = rankImages(store, "t", all);
  expect(ranked.map(({ hash }) => Number.parseInt(hash, 16))).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
  expect(ranked.map(({ pairs }) => pairs)).toEqual(new Array(n).fill(n - 1));
  const mean = (of: (one: (typeof ranked)[number]) => number) =>
    ranked.reduce((sum, one) => sum + of(one), 0) / n;
  expect(mean(({ score }) => score!)).toBeCloseTo(
    mean(({ point }) => point!),
    9,
  );
  const farthest = ranked.reduce((x, y) => (Math.abs(y.apart!) > Math.abs(x.apart!) ? y : x));
  expect([farthest.hash, farthest.apart! > 2]).toEqual([h(7), true]);
  // A person's word counts in place of the teacher's; images of no interest are left out.
  for (let i = 0; i < 7; i++) store.overridePair(h(i), h(7), 1);
  expect(rankImages(store, "t", all).at(-1)!.hash).toBe(h(7));
  all.delete(h(3));
  expect(rankImages(store, "t", all)).toHaveLength(n - 1);
});
