import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { holm } from "../../../src/engine/metrics/holm.ts";
import {
  type ComparedMetric,
  type Comparison,
  type PairedSet,
  pairedBootstrap,
} from "../../../src/engine/metrics/pairedBootstrap.ts";

interface Case {
  name: string;
  sets: { truth: number[]; pairs: { a: number[]; b: number[] }[]; groups?: number[] }[];
  replicates: number;
  seed: number;
  expected: Record<ComparedMetric, Comparison | null>;
}

const metrics = ["srcc", "plcc", "krcc", "rmse"] as const;
// By test/fixtures/make_paired_bootstrap.py: SciPy's metrics on the same resamples.
const cases = JSON.parse(readFileSync("test/fixtures/paired_bootstrap.json", "utf8")) as Case[];

function typed(sets: Case["sets"]): PairedSet[] {
  return sets.map(({ truth, pairs, groups }) => ({
    groups: groups && { of: Uint32Array.from(groups), count: new Set(groups).size },
    truth: Float64Array.from(truth),
    pairs: pairs.map(({ a, b }) => ({ a: Float64Array.from(a), b: Float64Array.from(b) })),
  }));
}

test.each(cases)("agrees with SciPy on the same resamples: $name", async ({ sets, expected, ...options }) => {
  const found = await pairedBootstrap(typed(sets), metrics, options);
  for (const metric of metrics) {
    const [mine, theirs] = [found[metric], expected[metric]];
    if (theirs === null) {
      expect(mine, metric).toBeNull();
      continue;
    }
    expect(mine!.difference, metric).toBeCloseTo(theirs.difference, 10);
    expect(mine!.interval[0], metric).toBeCloseTo(theirs.interval[0], 10);
    expect(mine!.interval[1], metric).toBeCloseTo(theirs.interval[1], 10);
    expect(mine!.p, metric).toBeCloseTo(theirs.p, 12);
  }
});

test("swapping the models turns the sign and leaves p; the order of images does not matter to the difference", async () => {
  const values = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 12, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(values, values, values, async (truth, a, b) => {
      const options = { replicates: 100, seed: 3 };
      const there = await pairedBootstrap(typed([{ truth, pairs: [{ a, b }] }]), metrics, options);
      const back = await pairedBootstrap(typed([{ truth, pairs: [{ a: b, b: a }] }]), metrics, options);
      for (const metric of metrics) {
        const [x, y] = [there[metric], back[metric]];
        expect(x === null).toBe(y === null);
        if (!x || !y) continue;
        expect(x.difference).toBeCloseTo(-y.difference, 12);
        expect(x.interval[0]).toBeCloseTo(-y.interval[1], 12);
        expect(x.p).toBeCloseTo(y.p, 12);
        expect(x.p).toBeGreaterThan(0);
        expect(x.p).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 40 },
  );
});

test("no image at all compares nothing, and cancelling stops it", async () => {
  expect(await pairedBootstrap([], ["srcc"], { replicates: 100, seed: 0 })).toEqual({ srcc: null });
  const [first] = cases;
  const signal = AbortSignal.abort();
  await expect(
    pairedBootstrap(typed(first!.sets), ["srcc"], { replicates: 100, seed: 0, signal }),
  ).rejects.toMatchObject({ code: "cancelled" });
});

test("Holm's correction", () => {
  // 4 x .005, 3 x .01, 2 x .03 and, since it never falls, .06 again.
  const corrected = holm([0.01, 0.04, null, 0.03, 0.005]);
  const expected = [0.03, 0.06, null, 0.06, 0.02];
  for (const [i, p] of expected.entries())
    p === null ? expect(corrected[i]).toBeNull() : expect(corrected[i]).toBeCloseTo(p, 12);
  expect(holm([0.7, 0.6])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

test("Holm's p is at least the raw one, at most Bonferroni's, and keeps the order", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (ps) => {
      const corrected = holm(ps) as number[];
      for (const [i, p] of ps.entries()) {
        expect(corrected[i]).toBeGreaterThanOrEqual(p);
        expect(corrected[i]).toBeLessThanOrEqual(Math.min(1, p * ps.length) + 1e-12);
        for (const [j, other] of ps.entries())
          if (p < other) expect(corrected[i]).toBeLessThanOrEqual(corrected[j]!);
      }
    }),
  );
});
