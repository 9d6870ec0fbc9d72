import fc from "fast-check";
import { expect, test } from "vitest";
import { standardErrors, weightsByStd } from "../../../src/engine/mos/weights.ts";

test("weighs by inverse variance, the median one beside it, to a mean of 1", () => {
  // 1/(0 + 1), 1/(1 + 1), 1/(3 + 1): 1, 0.5 and 0.25, over their mean 7/12.
  const weights = weightsByStd([0, 1, Math.sqrt(3)]);
  expect(weights[0]).toBeCloseTo(12 / 7, 12);
  expect(weights[1]).toBeCloseTo(6 / 7, 12);
  expect(weights[2]).toBeCloseTo(3 / 7, 12);
  // Of unknown spread: as the usual one.
  expect(weightsByStd([undefined, 2, 2])).toEqual([1, 1, 1]);
  expect(weightsByStd([undefined, undefined])).toEqual([1, 1]);
  expect(weightsByStd([0, 0, 0])).toEqual([1, 1, 1]);
  expect(weightsByStd([])).toEqual([]);
});

test("no image weighs more than twice the usual one, and the surer never less", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.001, max: 50, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (stds) => {
        const weights = weightsByStd(stds);
        expect(weights.reduce((sum, one) => sum + one, 0) / weights.length).toBeCloseTo(1, 9);
        const order = [...stds.keys()].sort((i, j) => stds[i]! - stds[j]!);
        const usual = weights[order[order.length >> 1]!]!;
        for (let i = 1; i < order.length; i++)
          expect(weights[order[i]!]!).toBeLessThanOrEqual(weights[order[i - 1]!]! * (1 + 1e-12));
        expect(Math.max(...weights)).toBeLessThanOrEqual(2 * usual * (1 + 1e-12));
      },
    ),
  );
});

test("a mean of fewer or wider ratings is less sure, by hand", () => {
  // Variance within all images: (2 · 1 + 8 · 4 + 0) / 10 = 3.4. Shrunk: (2 · 1 + 4 · 3.4) / 6 = 2.6, (8 · 4 + 4 · 3.4) / 12 = 3.8.
  const errors = standardErrors([1, 2, undefined, 1, undefined], [3, 9, 1, undefined, undefined]);
  expect(errors[0]).toBeCloseTo(Math.sqrt(2.6 / 3), 12);
  expect(errors[1]).toBeCloseTo(Math.sqrt(3.8 / 9), 12);
  // One rating: as wide as usual.
  expect(errors[2]).toBeCloseTo(Math.sqrt(3.4), 12);
  expect(errors.slice(3)).toEqual([undefined, undefined]);
  const weights = weightsByStd(errors);
  expect(weights[1]!).toBeGreaterThan(weights[0]!);
  expect(weights[0]!).toBeGreaterThan(weights[2]!);
  expect(standardErrors([undefined, undefined], [1, 1])).toEqual([undefined, undefined]);
  expect(standardErrors([], [])).toEqual([]);
});
