import fc from "fast-check";
import { expect, it } from "vitest";
import { hashBytes } from "../../../../src/engine/base/files.ts";
import { fitWeights, foldOf, weightsFor } from "../../../../src/engine/teachers/ensemble/weights.ts";

const hashOf = (i: number) => hashBytes(Buffer.from(`image ${i}`));
const rated = (n: number, scores: (i: number) => number[]) =>
  Array.from({ length: n }, (_, i) => ({ hash: hashOf(i), truth: i, scores: scores(i) }));
/** A fixed shuffle: chance agreement. */
const noise = (i: number) => (i * 7919) % 101;

it("are equal without enough ratings", () => {
  expect(
    fitWeights(
      rated(9, (i) => [i, -i]),
      2,
    ),
  ).toEqual({ all: [0.5, 0.5], without: {} });
});

it("go to whom the ratings agree with, the more the more ratings", () => {
  const few = fitWeights(
    rated(12, (i) => [i, noise(i)]),
    2,
  ).all;
  const many = fitWeights(
    rated(100, (i) => [i, noise(i)]),
    2,
  ).all;
  expect(few[0]).toBeGreaterThan(0.6);
  expect(many[0]).toBeGreaterThan(few[0]!);
  expect(many[1]).toBeGreaterThan(0);
});

it("sum to 1, are positive, and are the same for all where all teachers say the same", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 30, maxLength: 30 }), (said) => {
      const { all, without } = fitWeights(
        rated(30, (i) => [said[i]!, i, said[i]!]),
        3,
      );
      for (const one of [all, ...Object.values(without)]) {
        expect(one.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...one)).toBeGreaterThan(0);
        expect(one[0]).toBeCloseTo(one[2]!, 9);
      }
    }),
    { numRuns: 30 },
  );
});

it("no rating of an image takes part in its own weights, nor in those of its pairs", () => {
  const images = rated(60, (i) => [i + noise(i), noise(i)]);
  const before = fitWeights(images, 2);
  const at = images.findIndex(({ hash }) => foldOf(hash) === 3);
  const turned = images.map((one) =>
    foldOf(one.hash) === 3 ? { ...one, truth: 10 * one.scores[1]! - 500 } : one,
  );
  const after = fitWeights(turned, 2);
  const own = hashOf(at);
  const other = images.find(({ hash }) => foldOf(hash) === 1)!.hash;
  expect(after.all).not.toEqual(before.all);
  expect(weightsFor(after, [own])).toEqual(weightsFor(before, [own]));
  expect(weightsFor(after, [own, other])).toEqual(weightsFor(before, [own, other]));
  expect(weightsFor(after, [other])).not.toEqual(weightsFor(before, [other]));
});
