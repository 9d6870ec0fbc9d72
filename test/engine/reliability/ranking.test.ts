import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { pairRow, pointRow } from "../../../src/engine/labelling/rows.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { rankedTargets, rankImages, rankPreferences } from "../../../src/engine/reliability/ranking.ts";
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

it("targets are the ranking's scores, or the mean of both weighed by their errors", () => {
  const points = new Map(Array.from({ length: 6 }, (_, i) => [h(i), 1.5 + i / 2 + (i % 2 ? 0.4 : -0.4)]));
  const pairs = [...points.keys()].flatMap((a, i) =>
    [...points.keys()].slice(i + 1).map((b, k) => ({ a, b, p: 1 / (1 + Math.exp(0.8 * (k + 1))) })),
  );
  const ranked = rankPreferences(pairs, points);
  const ranking = rankedTargets(ranked, "ranking");
  for (const { hash, score } of ranked) expect(ranking.get(hash)).toBeCloseTo(score!, 12);
  // DerSimonian and Laird: what the errors of the ranking leave of the squared differences.
  const rest = ranked.reduce((sum, one) => sum + (one.score! - one.point!) ** 2 - one.error! ** 2, 0) / 6;
  expect(rest).toBeGreaterThan(0);
  const both = rankedTargets(ranked, "both");
  for (const { hash, score, point, error } of ranked) {
    const [w, v] = [1 / error! ** 2, 1 / rest];
    expect(both.get(hash)).toBeCloseTo((w * score! + v * point!) / (w + v), 12);
  }
  // Points that agree with the ranking within its errors are taken as they are.
  const near = rankPreferences(pairs, new Map(ranked.map(({ hash, score }) => [hash, score!])));
  for (const [hash, score] of rankedTargets(near, "both")) expect(score).toBeCloseTo(ranking.get(hash)!, 9);
  // Nobody knows the scale of a ranking by two images, or of images without a point.
  expect([...rankedTargets(rankPreferences(pairs, new Map([...points].slice(0, 2))), "ranking")]).toEqual([]);
});
