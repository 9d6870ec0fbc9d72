import { expect, test } from "vitest";
import { breakdownOf } from "../../../src/engine/metrics/breakdown.ts";

const of = (group: string, ...pairs: [score: number, mos: number][]) =>
  pairs.map(([score, mos]) => ({ score, mos, group }));

test("bands are the grades of the MOS, on its range and in its direction, from the best", () => {
  // Bounds on 1..5 are 1.5, 2.5, 3.5 and 4.5: on 0..100 12.5, 37.5, 62.5 and 87.5.
  const images = of("", [10, 5], [20, 12.5], [50, 40], [70, 60], [40, 50], [80, 100]);
  const { bands, groups } = breakdownOf(images, { range: [0, 100] });
  expect(groups).toBeUndefined();
  expect(bands.map(({ name, n }) => [name, n])).toEqual([
    ["excellent", 1],
    ["fair", 3],
    ["poor", 1],
    ["bad", 1],
  ]);
  // Scores 50 70 40 of MOS 40 60 50: ranks 2 3 1 and 1 3 2, so 1 − 6 · 2 / 24. Off by 10, 10 and −10.
  const [excellent, fair] = bands;
  expect(fair).toMatchObject({ srcc: 0.5, rmse: 10 });
  expect(fair!.bias).toBeCloseTo(10 / 3, 12);
  expect(excellent).toMatchObject({ srcc: null, plcc: null, rmse: 20, bias: -20 });
  const turned = breakdownOf(images, { range: [0, 100], lowerIsBetter: true });
  // 12.5 is then just excellent.
  expect(turned.bands.map(({ name, n }) => [name, n])).toEqual([
    ["excellent", 2],
    ["fair", 3],
    ["bad", 1],
  ]);
});

test("groups of five images and more have an SRCC of their own, the lowest first", () => {
  const rising = of("up", [1, 1], [2, 2], [3, 3], [4, 4], [5, 5]);
  const falling = of("down", [5, 1], [4, 2], [3, 3], [2, 4], [1, 5]);
  // Ranks of the scores 2 1 3 4 5: 1 − 6 · 2 / 120.
  const mixed = of("mixed", [2, 1], [1, 2], [3, 3], [4, 4], [5, 5]);
  const constant = of("constant", [2, 1], [2, 2], [2, 3], [2, 4], [2, 5]);
  const small = of("small", [1, 1], [2, 2], [3, 3], [4, 4]);
  const { groups } = breakdownOf([...rising, ...small, ...constant, ...mixed, ...falling], { range: [1, 5] });
  expect(groups!.lowest.map(({ name, srcc }) => [name, srcc])).toEqual([
    ["down", -1],
    ["mixed", 0.9],
    ["up", 1],
    ["constant", null],
  ]);
  // Of −1, 0.9 and 1, as NumPy interpolates.
  expect(groups!.count).toBe(3);
  expect(groups!.srcc.map((one) => Number(one.toFixed(9)))).toEqual([-0.05, 0.9, 0.95]);
});
