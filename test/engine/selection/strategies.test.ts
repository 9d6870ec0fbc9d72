import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { chooseCalibrationSubset } from "../../../src/engine/dataset/calibrationSubset.ts";
import type { Candidates } from "../../../src/engine/selection/candidates.ts";
import { openFeatureStore } from "../../../src/engine/selection/featureStore.ts";
import { learningCurve } from "../../../src/engine/selection/learningCurve.ts";
import { fitPowerLaw, powerLaw } from "../../../src/engine/selection/powerLaw.ts";
import { vanDerCorput } from "../../../src/engine/selection/quantile.ts";
import { gram, ridgePredict } from "../../../src/engine/selection/ridge.ts";
import { type SelectionName, strategies, takeChoices } from "../../../src/engine/selection/strategies.ts";
import { sampleCandidates } from "../../../src/engine/selection/studentTable.ts";
import { hashOf, liveProject } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const names = Object.keys(strategies) as SelectionName[];
const fixture = JSON.parse(readFileSync("test/fixtures/reliability.json", "utf8")) as {
  ridge: { x: number[]; y: number[]; dim: number; lambda: number; predicted: number[] };
  kcenter: { x: number[]; dim: number; order: number[] };
  powerLaw: { sizes: number[]; errors: number[]; fit: [number, number, number] };
};

/** Scores in steps, so that there are ties; some images that the teacher never saw. */
function candidates(n: number, seed = 0, dim = 3): Candidates {
  const random = seededRandom("candidates", seed, n);
  const list = <T extends Float64Array | Float32Array>(values: T, next: () => number) =>
    values.map(() => next()) as T;
  return {
    hashes: Array.from({ length: n }, (_, i) => hashOf(i)),
    scores: list(new Float64Array(n), () => 1 + Math.round(random() * 40) / 10),
    features: list(new Float32Array(n * dim), random),
    dim,
    teacherScores: list(new Float64Array(n), () => (random() < 0.1 ? Number.NaN : 1 + 4 * random())),
    teacherEntropy: list(new Float64Array(n), () => (random() < 0.1 ? Number.NaN : random())),
    seed,
  };
}

describe.each(names)("the strategy %s", (name) => {
  it("takes every image once, none of those chosen before, and a smaller choice begins a larger one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), fc.nat(1000), fc.nat(100), async (n, seed, share) => {
        const already = Array.from({ length: n }, (_, i) => i).filter(
          (i) => (i * 37 + seed) % 101 < share / 2,
        );
        const from = { ...candidates(n, seed), already };
        const all = await takeChoices(name, from, n + 5);
        expect([...all, ...already].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        const some = Math.floor((all.length * share) / 100);
        expect(await takeChoices(name, from, some)).toEqual(all.slice(0, some));
      }),
      { numRuns: 60 },
    );
  });

  it("depends on the images, not on their order in memory", async () => {
    const one = candidates(40, 3);
    // Features without ties, and no two images alike.
    const turned = [...one.hashes.keys()].reverse();
    const dim = one.dim;
    const other: Candidates = {
      ...one,
      hashes: turned.map((i) => one.hashes[i]!),
      scores: Float64Array.from(turned, (i) => one.scores[i]!),
      teacherScores: Float64Array.from(turned, (i) => one.teacherScores[i]!),
      teacherEntropy: Float64Array.from(turned, (i) => one.teacherEntropy[i]!),
      features: Float32Array.from(turned.flatMap((i) => [...one.features.subarray(i * dim, (i + 1) * dim)])),
    };
    const hashes = async (from: Candidates) =>
      (await takeChoices(name, from, 15)).map((i) => from.hashes[i]!);
    expect(await hashes(other)).toEqual(await hashes(one));
  });
});

describe("strategies", () => {
  it("random is the choice that calibration has always made", async () => {
    const from = candidates(50, 4);
    const chosen = (await takeChoices("random", from, 10)).map((i) => from.hashes[i]!);
    expect(chosen).toEqual(chooseCalibrationSubset(from.hashes, 0.2, 4));
  });

  it("quantile leaves no gap in the scores, at any size", async () => {
    const n = 512;
    const from = { ...candidates(n, 1), scores: Float64Array.from({ length: n }, (_, i) => i) };
    for (const count of [4, 16, 50]) {
      const chosen = (await takeChoices("quantile", from, count)).sort((a, b) => a - b);
      const gaps = chosen.map((at, i) => at - (chosen[i - 1] ?? 0));
      // The discrepancy of van der Corput's sequence: no gap is over twice an even share, plus one place.
      expect(Math.max(...gaps, n - chosen.at(-1)!)).toBeLessThanOrEqual((2 * n) / count + 1);
    }
    expect([0, 1, 2, 3, 4, 5, 6].map(vanDerCorput)).toEqual([0, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8]);
  });

  it("k-center is farthest-first, as computed from scikit-learn's distances", async () => {
    const { x, dim, order } = fixture.kcenter;
    const n = x.length / dim;
    const from = { ...candidates(n), features: Float32Array.from(x), dim };
    expect(await takeChoices("kcenter", from, n)).toEqual(order);
  });

  it("k-center bears features that do not differ", async () => {
    const from = { ...candidates(6), features: new Float32Array(18).fill(0.1) };
    expect(new Set(await takeChoices("kcenter", from, 6)).size).toBe(6);
  });

  it("uncertainty takes what entropy and disagreement both point at", async () => {
    const from = {
      ...candidates(4),
      scores: Float64Array.of(3, 3, 3, 3),
      teacherScores: Float64Array.of(3, 5, 3.5, 1.5),
      teacherEntropy: Float64Array.of(0.1, 0.9, 0.2, 0.5),
    };
    expect(await takeChoices("uncertainty", from, 4)).toEqual([1, 3, 2, 0]);
  });

  it("combined spreads over the scores and, within, over features", async () => {
    const n = 320;
    const scores = Float64Array.from({ length: n }, (_, i) => i);
    // Two clusters, the small one a twentieth, evenly along the scores; the teacher says the same of all.
    const features = Float32Array.from({ length: n }, (_, i) => (i % 20 === 0 ? 10 : 0));
    const same = { teacherScores: scores, teacherEntropy: new Float64Array(n) };
    const chosen = await takeChoices("combined", { ...candidates(n), scores, features, dim: 1, ...same }, 8);
    expect(chosen.some((i) => i % 20 === 0)).toBe(true);
    const octaves = new Set(chosen.map((i) => Math.floor(i / (n / 4))));
    expect(octaves.size).toBe(4);
  });

  it("a large folder is sampled, the same way each time, and a larger sample holds a smaller one", () => {
    const hashes = Array.from({ length: 300 }, (_, i) => hashOf(i));
    const small = sampleCandidates(hashes, 1, 50);
    expect(small).toHaveLength(50);
    expect(sampleCandidates([...hashes].reverse(), 1, 50)).toEqual(small);
    expect(sampleCandidates(hashes, 2, 50)).not.toEqual(small);
    const larger = new Set(sampleCandidates(hashes, 1, 120));
    expect(small.every((hash) => larger.has(hash))).toBe(true);
    expect(sampleCandidates(hashes, 1)).toEqual(hashes);
  });
});

describe("the feature store", () => {
  const open = (project = liveProject(temporaryFolder())) => {
    const store = openFeatureStore(project, "distill-k");
    onTestFinished(() => store.close());
    return { project, store };
  };

  it("gives back what was put, in the order asked, without files that cannot be read", () => {
    const { project, store } = open();
    store.put([
      { hash: "b", score: 2, features: Float32Array.of(1.5, -2) },
      { hash: "a", score: 4, features: Float32Array.of(0, 3) },
      { hash: "broken", score: null, features: null },
    ]);
    const again = open(project).store;
    expect(again.missing(["a", "c", "broken", "b"])).toEqual(["c"]);
    const table = again.table(["broken", "a", "c", "b"]);
    expect(table).toMatchObject({ hashes: ["a", "b"], dim: 2 });
    expect([...table.scores]).toEqual([4, 2]);
    expect([...table.features]).toEqual([0, 3, 1.5, -2]);
    expect(again.table([])).toMatchObject({ hashes: [], dim: 0 });
  });

  it("is made anew where the file is no database", () => {
    const { project, store } = open();
    store.close();
    writeFileSync(
      path.join(project.cache, "features", "other.sqlite"),
      "not a database, but long enough to be read as one",
    );
    const other = openFeatureStore(project, "other");
    onTestFinished(() => other.close());
    expect(other.missing(["a"])).toEqual(["a"]);
  });
});

describe("the learning curve", () => {
  it("ridge regression agrees with scikit-learn", () => {
    const { x, y, dim, lambda, predicted } = fixture.ridge;
    const n = y.length;
    const even = Uint32Array.from({ length: n / 2 }, (_, i) => 2 * i);
    const odd = even.map((i) => i + 1);
    const found = ridgePredict(gram(Float64Array.from(x), n, dim), n, Float64Array.from(y), {
      train: even,
      test: odd,
      lambda,
    });
    for (const [i, value] of predicted.entries()) expect(found[i]).toBeCloseTo(value, 9);
  });

  it("the power law is SciPy's, never negative, and finds the curve that noiseless errors lie on", () => {
    const { sizes, errors, fit } = fixture.powerLaw;
    const residual = (law: (m: number) => number) =>
      sizes.reduce((sum, m, i) => sum + (law(m) - errors[i]!) ** 2, 0);
    const found = fitPowerLaw(sizes, errors)!;
    expect(residual((m) => powerLaw(found, m))).toBeLessThan(
      residual((m) => fit[0] + fit[1] * m ** -fit[2]) * (1 + 1e-4),
    );
    const truth = { floor: 0.2, scale: 3, rate: 0.73 };
    const exact = fitPowerLaw(
      sizes,
      sizes.map((m) => powerLaw(truth, m)),
    )!;
    for (const name of ["floor", "scale", "rate"] as const) expect(exact[name]).toBeCloseTo(truth[name], 3);
    // Rising, or falling below zero at the end: the law stays one.
    expect(fitPowerLaw([8, 16, 32], [1, 2, 3])).toMatchObject({ scale: 0, floor: 2 });
    expect(fitPowerLaw([8, 16, 32], [1, 0.2, 0.001])!.floor).toBe(0);
    expect(fitPowerLaw([8, 16], [1, 2])).toBeNull();
  });

  const world = (n: number, noise: number, dim = 20) => {
    const random = seededRandom("curve world", n, dim);
    const features = Float32Array.from({ length: n * dim }, () => random() - 0.5);
    const weights = Array.from({ length: dim }, () => random() - 0.5);
    const clean = Array.from({ length: n }, (_, i) =>
      weights.reduce((sum, w, k) => sum + w * features[i * dim + k]!, 3),
    );
    const truth = Float64Array.from(clean, (value) => value + noise * (random() - 0.5));
    const hashes = Array.from({ length: n }, (_, i) => hashOf(i));
    // The student knows nothing: all is in the features.
    return { table: { hashes, features, dim, scores: new Float64Array(n).fill(3) }, truth };
  };
  const options = { next: 20, range: 4, seed: 0 };

  it("falls while the features can still be learnt, and says that more ratings pay", async () => {
    const { table, truth } = world(40, 0.05);
    const curve = (await learningCurve(table, truth, { ...options, next: 100 }))!;
    expect(curve.ratings).toBe(40);
    expect(curve.points.at(-1)!.rmse).toBeLessThan(curve.points[0]!.rmse);
    expect(curve.next.gain).toBeGreaterThan(0.02);
    expect(curve.next.ci95[0]).toBeGreaterThan(0);
    expect(curve.next.ci95[1]).toBeGreaterThan(curve.next.gain);
    expect(curve.enough).toBe(false);
    // The same ratings give the same advice.
    expect(await learningCurve(table, truth, { ...options, next: 100 })).toEqual(curve);
  });

  it("says enough where only noise is left", async () => {
    const { table, truth } = world(400, 0.4, 4);
    const curve = (await learningCurve(table, truth, options))!;
    expect(curve.enough).toBe(true);
    expect(curve.next.gain).toBeLessThan(0.01);
    // The error that no rating can take away: a uniform of width 0.4.
    expect(curve.now).toBeGreaterThan(0.4 / Math.sqrt(12) - 0.02);
    expect(curve.now).toBeLessThan(0.4 / Math.sqrt(12) + 0.02);
  });

  it("keeps groups whole: copies of a photo do not foretell one another", async () => {
    const { table, truth } = world(20, 0.4, 6);
    const of = Array.from({ length: 120 }, (_, i) => i % 20);
    const copies = {
      hashes: of.map((_, i) => hashOf(i)),
      dim: 6,
      scores: Float64Array.from(of, (i) => table.scores[i]!),
      features: Float32Array.from(of.flatMap((i) => [...table.features.subarray(6 * i, 6 * i + 6)])),
    };
    const many = Float64Array.from(of, (i) => truth[i]!);
    const alone = (await learningCurve(copies, many, options))!;
    const groups = of.map((i) => `photo ${i}`);
    const together = (await learningCurve(copies, many, { ...options, groups }))!;
    // Four fifths of the photos foretell the last fifth no better than where there is one image of each.
    const single = (await learningCurve(table, truth, options))!;
    expect(alone.points.at(-1)!.rmse).toBeLessThan(0.7 * single.points.at(-1)!.rmse);
    expect(together.points.at(-1)!.rmse).toBeGreaterThan(0.7 * single.points.at(-1)!.rmse);
    const own = of.map((_, i) => String(i));
    expect(await learningCurve(copies, many, { ...options, groups: own })).toEqual(alone);
    expect(await learningCurve(copies, many, { ...options, groups: of.map(() => "one") })).toBeNull();
  });

  it("is none for few or equal ratings, and stops when told to", async () => {
    const { table, truth } = world(15, 0.1);
    expect(await learningCurve(table, truth, options)).toBeNull();
    const more = world(30, 0.1);
    expect(await learningCurve(more.table, new Float64Array(30).fill(2), options)).toBeNull();
    const signal = AbortSignal.abort();
    await expect(learningCurve(more.table, more.truth, { ...options, signal })).rejects.toMatchObject({
      code: "cancelled",
    });
  });
});
