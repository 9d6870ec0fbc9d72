import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import {
  evaluateMetrics,
  fitLogistic,
  krcc,
  type Logistic,
  logistic,
  plcc,
  rmse,
  srcc,
} from "../../../src/engine/metrics/agreement.ts";
import { bootstrapIntervals, quantile } from "../../../src/engine/metrics/bootstrap.ts";
import { groupsOf } from "../../../src/engine/metrics/groups.ts";
import { midRanks } from "../../../src/engine/metrics/rank.ts";

interface Case {
  name: string;
  x: number[];
  y: number[];
  srcc: number;
  plcc: number;
  krcc: number;
  rmse: number;
  logistic: Logistic | null;
  plccLogistic: number | null;
}
// By SciPy: test/fixtures/make_metrics.py.
const cases = JSON.parse(
  readFileSync(new URL("../../fixtures/metrics.json", import.meta.url), "utf8"),
) as Case[];
const none = { bootstrap: 0, seed: 0 };
const floats = (values: number[]) => Float64Array.from(values);

describe("metrics against SciPy", () => {
  it.each(cases)("agree on $name", (one) => {
    const found = evaluateMetrics(floats(one.x), floats(one.y), none);
    expect(found.n).toBe(one.x.length);
    for (const name of ["srcc", "plcc", "krcc", "rmse"] as const)
      expect(Math.abs(found[name]! - one[name]), name).toBeLessThan(1e-9 * Math.max(1, one[name]));
  });

  it.each(cases.filter((one) => one.logistic))("fit the logistic of $name", (one) => {
    const found = evaluateMetrics(floats(one.x), floats(one.y), none);
    expect(Math.abs(found.plccLogistic! - one.plccLogistic!)).toBeLessThan(1e-6);
    const error = (b: Logistic) => one.x.reduce((sum, x, i) => sum + (one.y[i]! - logistic(b, x)) ** 2, 0);
    expect(error(found.logistic!)).toBeLessThan(error(one.logistic!) * (1 + 1e-6));
  });
});

describe("the logistic fit", () => {
  it("finds the curve that noiseless values lie on", () => {
    const truth: Logistic = [4.7, 1.3, 2.9, 0.6];
    const x = Float64Array.from({ length: 60 }, (_, i) => 1 + i / 15);
    const found = fitLogistic(
      x,
      x.map((value) => logistic(truth, value)),
    )!;
    for (const [i, value] of truth.entries()) expect(found[i]).toBeCloseTo(value, 6);
  });

  it("is as good as a line where the relation is a line", () => {
    const x = Float64Array.from({ length: 50 }, (_, i) => i);
    const y = x.map((value) => 2 * value + 1);
    const { plccLogistic } = evaluateMetrics(x, y, none);
    expect(plccLogistic).toBeGreaterThan(1 - 1e-6);
  });

  it("is not made of four points, nor of constant ones", () => {
    expect(fitLogistic(floats([1, 2, 3, 4]), floats([1, 2, 2, 4]))).toBeNull();
    expect(fitLogistic(floats([2, 2, 2, 2, 2]), floats([1, 2, 3, 4, 5]))).toBeNull();
    expect(fitLogistic(floats([1, 2, 3, 4, 5]), floats([3, 3, 3, 3, 3]))).toBeNull();
  });

  it("never correlates less than the raw values, whatever they are", () => {
    const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 5, maxLength: 40 }), (pairs) => {
        const x = floats(pairs.map(([a]) => a));
        const y = floats(pairs.map(([, b]) => b));
        const { plccLogistic, plcc: raw } = evaluateMetrics(x, y, none);
        if (plccLogistic === null || raw === null) return;
        expect(plccLogistic).toBeGreaterThan(Math.abs(raw) - 1e-4);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

const small = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })), {
  minLength: 3,
  maxLength: 60,
});
const columns = (pairs: [number, number][]) =>
  [floats(pairs.map(([a]) => a)), floats(pairs.map(([, b]) => b))] as const;
const correlations = { srcc, plcc, krcc };

describe("correlations", () => {
  it.each(Object.entries(correlations))("%s is symmetric, bounded, and -1 … 1 on itself", (_name, of) => {
    fc.assert(
      fc.property(small, (pairs) => {
        const [x, y] = columns(pairs);
        const value = of(x, y);
        const constant = x.every((v) => v === x[0]) || y.every((v) => v === y[0]);
        if (constant) expect(value).toBeNull();
        else {
          expect(Math.abs(value!)).toBeLessThanOrEqual(1);
          expect(of(y, x)).toBeCloseTo(value!, 12);
          expect(of(x, x)).toBe(1);
          expect(
            of(
              x,
              x.map((v) => -v),
            ),
          ).toBe(-1);
          expect(
            of(
              x.map((v) => -v),
              y,
            ),
          ).toBeCloseTo(-value!, 12);
        }
      }),
    );
  });

  it("by rank do not change under a rising map, the linear one not under a linear map", () => {
    fc.assert(
      fc.property(small, (pairs) => {
        const [x, y] = columns(pairs);
        const risen = x.map((v) => Math.exp(v) + v ** 3);
        expect(srcc(risen, y)).toEqual(srcc(x, y));
        expect(krcc(risen, y)).toEqual(krcc(x, y));
        const scaled = plcc(
          x.map((v) => 3 * v - 1e3),
          y,
        );
        if (scaled === null) expect(plcc(x, y)).toBeNull();
        else expect(scaled).toBeCloseTo(plcc(x, y)!, 9);
      }),
    );
  });

  it("Kendall's is that of counting all pairs", () => {
    fc.assert(
      fc.property(small, (pairs) => {
        const [x, y] = columns(pairs);
        let [difference, untiedX, untiedY] = [0, 0, 0];
        for (let i = 0; i < x.length; i++) {
          for (let j = 0; j < i; j++) {
            const [u, v] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
            difference += u * v;
            untiedX += u * u;
            untiedY += v * v;
          }
        }
        if (untiedX * untiedY === 0) expect(krcc(x, y)).toBeNull();
        else expect(krcc(x, y)).toBeCloseTo(difference / Math.sqrt(untiedX * untiedY), 12);
      }),
    );
  });

  it("share ranks among equal values", () => {
    expect([...midRanks(floats([3, 1, 3, 2, 3]))]).toEqual([4, 1, 4, 2, 4]);
  });

  it("hold for values near the limits of a double", () => {
    expect(plcc(floats([1e308, -1e308, 0]), floats([1, -1, 0]))).toBeCloseTo(1, 12);
    expect(plcc(floats([1e-300, 2e-300, 3e-300]), floats([1, 2, 3]))).toBeCloseTo(1, 12);
    expect(plcc(floats([0.1, 0.1, 0.1]), floats([1, 2, 3]))).toBeNull();
  });
});

describe("evaluateMetrics", () => {
  it("has null, not NaN, where a figure is not defined", () => {
    expect(evaluateMetrics(floats([1, 2]), floats([2, 1]), { bootstrap: 50, seed: 0 })).toEqual({
      n: 2,
      srcc: null,
      plcc: null,
      plccLogistic: null,
      krcc: null,
      rmse: 1,
      ci95: { srcc: null, plcc: null },
      logistic: null,
    });
    const constant = evaluateMetrics(floats([3, 3, 3, 3, 3, 3]), floats([1, 2, 3, 4, 5, 3]), {
      bootstrap: 50,
      seed: 0,
    });
    expect(constant).toMatchObject({ srcc: null, plcc: null, plccLogistic: null, krcc: null });
    expect(JSON.stringify(constant)).not.toContain("NaN");
  });

  it("refuses no values, unequal lengths, and what is not a number", () => {
    expect(() => evaluateMetrics(floats([]), floats([]), none)).toThrow("no scores");
    expect(() => evaluateMetrics(floats([1]), floats([]), none)).toThrow(RangeError);
    expect(() => evaluateMetrics(floats([1, Number.NaN, 2]), floats([1, 2, 3]), none)).toThrow(
      "The prediction number 2 is NaN, not a finite number.",
    );
  });

  it("takes the root of the mean square for the error", () => {
    expect(rmse(floats([1, 2, 3]), floats([1, 4, 3]))).toBeCloseTo(Math.sqrt(4 / 3), 12);
  });
});

describe("bootstrap intervals", () => {
  const random = seededRandom("data");
  const x = Float64Array.from({ length: 80 }, random);
  const y = x.map((value) => Math.round(4 * (value + random() - 0.5)));

  it("depend on the seed alone", () => {
    const once = bootstrapIntervals(x, y, { replicates: 200, seed: 1 });
    expect(bootstrapIntervals(x, y, { replicates: 200, seed: 1 })).toEqual(once);
    expect(bootstrapIntervals(x, y, { replicates: 200, seed: 2 })).not.toEqual(once);
  });

  it("hold the figure, and narrow as the square root of the images", () => {
    const { srcc: s, plcc: p } = bootstrapIntervals(x, y, { replicates: 1000, seed: 0 });
    const raw = { srcc: srcc(x, y)!, plcc: plcc(x, y)! };
    expect(s![0]).toBeLessThan(raw.srcc);
    expect(s![1]).toBeGreaterThan(raw.srcc);
    expect(p![0]).toBeLessThan(raw.plcc);
    expect(p![1]).toBeGreaterThan(raw.plcc);
    const [x4, y4] = [x, y].map((v) => floats([...v, ...v, ...v, ...v])) as [Float64Array, Float64Array];
    const wide = s![1] - s![0];
    const narrow = bootstrapIntervals(x4, y4, { replicates: 1000, seed: 0 }).srcc!;
    expect((narrow[1] - narrow[0]) / wide).toBeGreaterThan(0.4);
    expect((narrow[1] - narrow[0]) / wide).toBeLessThan(0.6);
  });

  it("agree with the textbook way: draw, rank, correlate", () => {
    const draws = seededRandom("textbook");
    const [s, p]: [number[], number[]] = [[], []];
    for (let b = 0; b < 4000; b++) {
      const at = Array.from(x, () => Math.floor(draws() * x.length));
      const [bx, by] = [floats(at.map((i) => x[i]!)), floats(at.map((i) => y[i]!))];
      s.push(srcc(bx, by)!);
      p.push(plcc(bx, by)!);
    }
    const found = bootstrapIntervals(x, y, { replicates: 4000, seed: 0 });
    for (const [values, interval] of [
      [s, found.srcc!],
      [p, found.plcc!],
    ] as const) {
      const sorted = floats(values).sort();
      expect(Math.abs(interval[0] - quantile(sorted, 0.025))).toBeLessThan(0.01);
      expect(Math.abs(interval[1] - quantile(sorted, 0.975))).toBeLessThan(0.01);
    }
  });

  it("draw whole groups: the same as to join the groups that are drawn and to rank anew", () => {
    const names = Array.from(x, (_, i) => (i % 9 === 0 ? undefined : `photo ${(i * i) % 7}`));
    const groups = groupsOf(names)!;
    // Groups are drawn in the order of their lowest x.
    const byX = [...x.keys()].sort((i, j) => x[i]! - x[j]!);
    const members = [...Map.groupBy(byX, (i) => groups.of[i]!).values()];
    expect(members.flat()).toHaveLength(x.length);
    const draws = seededRandom("bootstrap", 5);
    const [s, p]: [number[], number[]] = [[], []];
    for (let b = 0; b < 400; b++) {
      const at = members.flatMap(() => members[Math.floor(draws() * groups.count)]!);
      const [bx, by] = [floats(at.map((i) => x[i]!)), floats(at.map((i) => y[i]!))];
      s.push(srcc(bx, by)!);
      p.push(plcc(bx, by)!);
    }
    const found = bootstrapIntervals(x, y, { replicates: 400, seed: 5, groups });
    for (const [values, interval] of [
      [s, found.srcc!],
      [p, found.plcc!],
    ] as const) {
      const sorted = floats(values).sort();
      expect(interval[0]).toBeCloseTo(quantile(sorted, 0.025), 10);
      expect(interval[1]).toBeCloseTo(quantile(sorted, 0.975), 10);
    }
  });

  it("of equal images in each group are those of one image for each group", () => {
    const copies = 6;
    const many = (values: Float64Array) => floats([...values].flatMap((value) => Array(copies).fill(value)));
    const groups = groupsOf([...x].flatMap((_, i) => Array<string>(copies).fill(`photo ${i}`)))!;
    const options = { replicates: 300, seed: 2 };
    const [one, all] = [
      bootstrapIntervals(x, y, options),
      bootstrapIntervals(many(x), many(y), { ...options, groups }),
    ];
    for (const metric of ["srcc", "plcc"] as const)
      for (const end of [0, 1]) expect(all[metric]![end]).toBeCloseTo(one[metric]![end]!, 10);
    const alone = bootstrapIntervals(many(x), many(y), options);
    expect(alone.srcc![1] - alone.srcc![0]).toBeLessThan(0.6 * (all.srcc![1] - all.srcc![0]));
  });

  it("by groups of one image each are the very same as by image, and say so", () => {
    const groups = groupsOf([...x].map((_, i) => String(i)))!;
    const options = { replicates: 100, seed: 3 };
    expect(bootstrapIntervals(x, y, { ...options, groups })).toEqual(bootstrapIntervals(x, y, options));
    expect(evaluateMetrics(x, y, { bootstrap: 10, seed: 0, groups }).groups).toBe(x.length);
    expect(evaluateMetrics(x, y, { bootstrap: 10, seed: 0 })).not.toHaveProperty("groups");
    expect(groupsOf([undefined, "", undefined])).toBeUndefined();
  });

  it("are null where most replicates are constant", () => {
    const one = floats([1, 0, 0, 0, 0, 0]);
    const found = bootstrapIntervals(one, floats([1, 2, 3, 4, 5, 6]), { replicates: 400, seed: 0 });
    expect(found.srcc).not.toBeNull(); // An image is missing from a replicate with probability (5/6)^6 = 0.33.
    expect(bootstrapIntervals(floats([1, 0]), floats([1, 2]), { replicates: 400, seed: 0 }).srcc).toBeNull();
  });

  it("interpolate as NumPy", () => {
    expect(quantile(floats([1, 2, 4, 8]), 0.5)).toBe(3);
    expect(quantile(floats([1, 2, 4, 8]), 0.025)).toBeCloseTo(1.075, 12);
    expect(quantile(floats([5]), 0.975)).toBe(5);
  });
});
