import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { openLabels, type PairRow } from "../../../src/engine/labels/labels.ts";
import { compareTeachers } from "../../../src/engine/reliability/compareTeachers.ts";
import { byGroup, confidentErrors } from "../../../src/engine/reliability/confidentErrors.ts";
import { judgedPairs, judgedPoints, wordOf } from "../../../src/engine/reliability/judged.ts";
import {
  cohenKappa,
  pairMetrics,
  pointMetrics,
  reliabilityBins,
  wilson,
} from "../../../src/engine/reliability/metrics.ts";
import { chooseMinConfidence } from "../../../src/engine/reliability/minConfidence.ts";
import { checkTeacher } from "../../../src/engine/reliability/teacherCheck.ts";
import {
  fitTemperature,
  scalePairs,
  scalePoints,
  temperatureScaling,
} from "../../../src/engine/reliability/temperature.ts";
import { pairReliability } from "../../../src/engine/views/teacherReliability.ts";
import { hashOf, liveProject, pairRow, putLabels } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

interface Expected {
  name: string;
  p: number[];
  right: number;
  ece: number;
  brier: number;
  nll: number;
  auroc: number | null;
  temperature: number;
  nllAtBest: number;
}
const fixture = JSON.parse(readFileSync("test/fixtures/reliability.json", "utf8")) as {
  pairs: (Expected & { better: number[] })[];
  points: (Expected & { word: number[] })[];
  kappa: { a: number[]; b: number[]; none: number; quadratic: number }[];
  wilson: { right: number; n: number; low: number; high: number }[];
};
const floats = (values: number[]) => Float64Array.from(values);
const bytes = (values: number[]) => Uint8Array.from(values);

function expectMetrics(found: ReturnType<typeof pairMetrics>, one: Expected) {
  for (const name of ["right", "ece", "brier", "nll"] as const)
    expect(Math.abs(found![name] - one[name]), name).toBeLessThan(1e-9);
  if (one.auroc === null) expect(found!.auroc).toBeNull();
  else expect(found!.auroc).toBeCloseTo(one.auroc, 12);
}

describe("agrees with scikit-learn and SciPy", () => {
  it.each(fixture.pairs)("on pairs: $name", (one) => {
    expectMetrics(pairMetrics(floats(one.p), bytes(one.better)), one);
  });

  it.each(fixture.points)("on points: $name", (one) => {
    expectMetrics(pointMetrics(floats(one.p), bytes(one.word)), one);
  });

  it.each([
    ...fixture.pairs.map((one) => ({ ...one, kind: "pairs" as const, truth: one.better })),
    ...fixture.points.map((one) => ({ ...one, kind: "points" as const, truth: one.word })),
  ])("on the temperature of $kind: $name", ({ kind, p, truth, temperature, nllAtBest }) => {
    const [scale, metrics] = kind === "pairs" ? [scalePairs, pairMetrics] : [scalePoints, pointMetrics];
    const nllAt = (t: number) => metrics(scale(floats(p), t), bytes(truth))!.nll;
    const found = fitTemperature(nllAt);
    expect(nllAt(found)).toBeLessThan(nllAtBest + 1e-9);
    // Where the optimum is flat or at an end of the range the place is not determined.
    if (temperature > 0.06 && temperature < 20) expect(found / temperature).toBeCloseTo(1, 3);
  });

  it.each(fixture.kappa)("on Cohen's kappa", ({ a, b, none, quadratic }) => {
    const table = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0]);
    for (const [i, word] of a.entries()) table[word]![b[i]!]!++;
    expect(cohenKappa(table)).toBeCloseTo(none, 12);
    expect(cohenKappa(table, "quadratic")).toBeCloseTo(quadratic, 12);
  });

  it.each(fixture.wilson)("on Wilson's interval of $right of $n", ({ right, n, low, high }) => {
    const [lo, hi] = wilson(right, n);
    expect(lo).toBeCloseTo(low, 12);
    expect(hi).toBeCloseTo(high, 12);
  });
});

describe("reliability", () => {
  it("Wilson's interval holds its own share, of none and of all too", () => {
    for (let n = 1; n < 400; n++)
      for (const right of [0, n]) {
        const [low, high] = wilson(right, n);
        expect([right, n, low <= right / n && right / n <= high]).toEqual([right, n, true]);
      }
  });

  it("bins hold every claim once, the ends too", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { minLength: 1 }),
        (all) => {
          const claimed = floats(all.map(([p]) => p));
          const right = bytes(all.map(([, ok]) => Number(ok)));
          const bins = reliabilityBins(claimed, right, { low: 0, high: 1 });
          expect(bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(all.length);
          const hits = bins.reduce((sum, bin) => sum + bin.n * bin.right, 0);
          expect(hits).toBeCloseTo(
            right.reduce((sum, one) => sum + one, 0),
            9,
          );
          for (const bin of bins) {
            expect(bin.claimed).toBeGreaterThanOrEqual(bin.low - 1e-9);
            expect(bin.claimed).toBeLessThanOrEqual(bin.high + 1e-9);
            expect(bin.right).toBeGreaterThanOrEqual(bin.ci95[0]);
            expect(bin.right).toBeLessThanOrEqual(bin.ci95[1]);
          }
        },
      ),
    );
  });

  it("of nothing is nothing, and a coin toss is never right", () => {
    expect(pairMetrics(floats([]), bytes([]))).toBeNull();
    expect(pointMetrics(floats([]), bytes([]))).toBeNull();
    expect(pairMetrics(floats([0.5, 0.5]), bytes([1, 0]))).toMatchObject({ right: 0, auroc: null });
    expect(
      cohenKappa([
        [7, 0],
        [0, 0],
      ]),
    ).toBeNull();
  });

  it("words are the nearest whole scores", () => {
    expect([5, 4.5, 4.49, 3, 1.4, 1].map(wordOf)).toEqual([0, 0, 1, 2, 4, 4]);
  });

  it("the temperature of a teacher that claims too much is above 1, and mends other images too", () => {
    const random = seededRandom("claims", 1);
    const draw = (n: number) => {
      const p = Float64Array.from({ length: n }, () => random());
      const truth = Uint8Array.from(p, (one) => Number(random() < one));
      return { p: scalePairs(p, 1 / 3), truth };
    };
    const { temperature, before, after, fittedOn } = temperatureScaling("pairs", draw(400), draw(2000));
    expect(fittedOn).toBe(400);
    expect(temperature).toBeGreaterThan(2.2);
    expect(temperature).toBeLessThan(4);
    expect(after!.ece).toBeLessThan(before!.ece / 2);
    expect(after!.nll).toBeLessThan(before!.nll);
    // A temperature keeps every winner.
    expect(after!.right).toBe(before!.right);
    expect(temperatureScaling("pairs", draw(19), draw(5))).toMatchObject({ temperature: null, after: null });
  });
});

describe("minConfidence", () => {
  const pairsOf = (n: number, accuracy: (confidence: number) => number, seed = 0) => {
    const random = seededRandom("confidence", seed);
    const confidence = Float64Array.from({ length: n }, () => random());
    return { confidence, right: Uint8Array.from(confidence, (c) => Number(random() < accuracy(c))) };
  };

  it("is where pairs begin to be right", () => {
    const { confidence, right } = pairsOf(3000, (c) => (c < 0.4 ? 0.5 : 0.9));
    const { value, n } = chooseMinConfidence(confidence, right);
    expect(n).toBe(3000);
    expect(value).toBeGreaterThan(0.28);
    expect(value).toBeLessThan(0.5);
  });

  it("is 0 for a teacher that is right wherever, and unknown for one that never is or for too few", () => {
    const good = pairsOf(1000, () => 0.9);
    expect(chooseMinConfidence(good.confidence, good.right).value).toBe(0);
    const wrong = pairsOf(1000, () => 0.2);
    expect(chooseMinConfidence(wrong.confidence, wrong.right)).toMatchObject({ value: null, n: 1000 });
    const few = pairsOf(29, () => 1);
    expect(chooseMinConfidence(few.confidence, few.right).why).toContain("at least 30 are needed");
  });

  it("does not depend on the order of the pairs", () => {
    const { confidence, right } = pairsOf(500, (c) => 0.4 + c / 2);
    const turned = chooseMinConfidence(confidence.slice().reverse(), right.slice().reverse());
    expect(turned).toEqual(chooseMinConfidence(confidence, right));
  });
});

describe("the check of a teacher", () => {
  const random = seededRandom("check", 0);
  const truth = Float64Array.from({ length: 60 }, () => 1 + 4 * random());
  const noise = Float64Array.from(truth, () => 1 + 4 * random());

  it("trusts one that agrees, and neither noise, nor a constant, nor one that is upside down", () => {
    const good = truth.map((one, i) => 0.7 * one + 0.3 * noise[i]!);
    expect(checkTeacher(good, truth)).toMatchObject({ n: 60, verdict: "useful" });
    expect(checkTeacher(noise, truth).verdict).toBe("chance");
    expect(
      checkTeacher(
        truth.map(() => 3),
        truth,
      ),
    ).toMatchObject({ srcc: null, ci95: null, verdict: "chance" });
    expect(
      checkTeacher(
        good.map((one) => -one),
        truth,
      ).verdict,
    ).toBe("chance");
  });

  it("does not give up a good teacher for want of ratings, but one that contradicts them", () => {
    // Fifteen ratings: SRCC .46, whose interval holds 0.
    const few = Float64Array.from({ length: 15 }, (_, i) => i);
    const fair = floats([9, 2, 5, 0, 3, 14, 1, 6, 13, 4, 10, 8, 7, 11, 12]);
    const found = checkTeacher(fair, few);
    expect(found.ci95![0]).toBeLessThan(0.1);
    expect(found).toMatchObject({ n: 15, verdict: "unclear" });
    expect(
      checkTeacher(
        few.map((one) => -one),
        few,
      ).verdict,
    ).toBe("chance");
  });

  it("concludes nothing from few, constant or missing scores", () => {
    expect(checkTeacher(noise.slice(0, 9), truth.slice(0, 9)).verdict).toBe("unknown");
    expect(
      checkTeacher(
        noise,
        truth.map(() => 3),
      ).verdict,
    ).toBe("unknown");
    expect(
      checkTeacher(
        noise.map(() => Number.NaN),
        truth,
      ),
    ).toEqual({ n: 0, srcc: null, ci95: null, verdict: "unknown" });
    expect(checkTeacher(floats([]), floats([])).verdict).toBe("unknown");
  });
});

describe("from the label store", () => {
  const words = (top: number) =>
    [0, 1, 2, 3, 4].map((k) => (k === top ? 0.6 : 0.1)) as [number, number, number, number, number];
  const point = (i: number, score: number) => ({
    image: hashOf(i),
    ok: true as const,
    score,
    probabilities: words(5 - Math.round(score)),
    mass: 1,
    confidence: 0.3,
  });
  const open = (points = [1, 2, 3, 4].map((i) => point(i, i)), pairs: PairRow[] = []) => {
    const project = liveProject(temporaryFolder());
    putLabels(project, "t", points, pairs);
    const store = openLabels(project.labelsFile);
    onTestFinished(() => store.close());
    return store;
  };
  const truth = new Map([1, 2, 3, 4].map((i) => [hashOf(i), i]));
  const pair = (a: number, b: number, p: number) => pairRow(hashOf(a), hashOf(b), p, 0.6);

  it("reads the teacher's own words, never a person's in their place, and only of rated images", () => {
    const store = open(undefined, [pair(1, 2, 0.1), pair(1, 3, 0.8), pair(2, 3, 0.5), pair(3, 9, 0.9)]);
    store.overridePoint(hashOf(1), 5);
    store.overridePair(hashOf(1), hashOf(2), 1);
    const points = judgedPoints(store, "t", truth);
    expect([...points.scores]).toEqual([1, 2, 3, 4]);
    const pairs = judgedPairs(store, "t", truth, 0.25);
    expect([...pairs.p]).toEqual([0.1, 0.8, 0.5]);
    expect([...pairs.aBetter]).toEqual([0, 0, 0]);
    expect([...pairs.right]).toEqual([1, 0, 0]);
    expect(judgedPairs(store, "t", truth, 1.5)).toMatchObject({ undecided: 2 });
    expect(judgedPairs(store, "unknown", truth, 0).p).toHaveLength(0);
  });

  it("leaves out what an import left empty", () => {
    const store = open(undefined, [pair(1, 2, 0.1), pair(1, 3, 0.2)]);
    store.db.exec("UPDATE pairs SET p = NULL WHERE id = 1; UPDATE points SET good = NULL WHERE id = 2");
    expect([...judgedPairs(store, "t", truth, 0).p]).toEqual([0.2]);
    expect([...judgedPoints(store, "t", truth).scores]).toEqual([1, 3, 4]);
  });

  it("lists what it was surest of and got wrong, and counts each pair for both groups", () => {
    const store = open(undefined, [
      pairRow(hashOf(1), hashOf(2), 0.99, 0.92),
      pairRow(hashOf(1), hashOf(3), 0.7, 0.12),
      pairRow(hashOf(2), hashOf(4), 0.02, 0.86),
    ]);
    const pairs = judgedPairs(store, "t", truth, 0);
    const group = (hash: string) => (truth.get(hash)! % 2 === 1 ? "odd" : "even");
    const errors = confidentErrors(pairs, (hash) => ({
      hash,
      image: hash,
      mos: truth.get(hash)!,
      group: group(hash),
    }));
    expect(errors.map((one) => [one.better.mos, one.worse.mos])).toEqual([
      [2, 1],
      [3, 1],
    ]);
    expect(errors[0]!.p).toBeCloseTo(0.01, 12);
    expect(byGroup(pairs, group)).toEqual([
      { group: "odd", pairs: 2, right: 0, confidentlyWrong: 1 },
      { group: "even", pairs: 2, right: 0.5, confidentlyWrong: 1 },
    ]);
  });

  it("fits on pairs of calibration images and judges on pairs that share no image with them", () => {
    const many = 60;
    const random = seededRandom("pairs", 2);
    const rows: PairRow[] = [];
    for (let i = 0; i < many; i++)
      for (let j = i + 1; j < many; j += 3)
        rows.push(pairRow(hashOf(i), hashOf(j), random() < 0.9 ? 0.02 : 0.98, 0.86));
    const store = open([], rows);
    const scores = new Map(Array.from({ length: many }, (_, i) => [hashOf(i), i]));
    const pairs = judgedPairs(store, "t", scores, 0);
    const calibration = new Set([...scores.keys()].filter((_, i) => i % 2 === 0));
    const { temperature, minConfidence, n } = pairReliability(pairs, calibration, 0)!;
    const inside = rows.filter((row) => calibration.has(row.a) && calibration.has(row.b)).length;
    const outside = rows.filter((row) => !calibration.has(row.a) && !calibration.has(row.b)).length;
    expect(n).toBe(rows.length);
    expect(temperature).toMatchObject({ fittedOn: inside, after: { n: outside } });
    // It claims .98 and is right .9 of the time.
    expect(temperature.temperature).toBeGreaterThan(1.3);
    expect(minConfidence).toMatchObject({ n: inside, value: 0 });
  });

  it("sums up the position bias of both orders", () => {
    const both = (a: number, b: number, pAB: number, pBA: number, bias: number): PairRow => ({
      ...pairRow(hashOf(a), hashOf(b), 0.5, 0, bias),
      ...({ pAB, pBA } as object),
    });
    const store = open(undefined, [
      both(1, 2, 0.9, 0.3, 3),
      both(1, 3, 0.8, 0.7, 1),
      both(2, 3, 0.2, 0.1, 2),
    ]);
    expect(store.positionBias("t")).toEqual({
      pairs: 3,
      first: expect.closeTo(1.9 / 3, 12),
      flipped: 1 / 3,
      logits: { mean: 2, sd: expect.closeTo(Math.sqrt(2 / 3), 12) },
    });
    expect(store.positionBias("unknown")).toBeNull();
    const one = open(undefined, [
      { ...both(1, 2, 0.9, 0.3, 3), ...({ pBA: null, positionBias: null } as object) },
    ]);
    expect(one.positionBias("t")).toBeNull();
  });

  it("compares two teachers on what both judged", () => {
    const store = open(undefined, [pair(1, 2, 0.1), pair(1, 3, 0.8), pair(2, 3, 0.5)]);
    store.registerTeacher({ fingerprint: "u", kind: "fake", description: {} });
    store.putPoints("u", [point(1, 1), point(2, 2), point(3, 4), point(7, 5)]);
    store.putPairs("u", [pair(1, 2, 0.2), pair(1, 3, 0.3), pair(2, 4, 0.9)]);
    const { points, pairs } = compareTeachers(store, "t", "u");
    expect(points).toMatchObject({
      n: 3,
      srcc: 1,
      sameWord: 2 / 3,
      meanDifference: expect.closeTo(-1 / 3, 12),
    });
    expect(points!.kappa).toBeCloseTo(4 / 7, 12);
    expect(pairs).toMatchObject({ n: 2, equal: 0.5, plcc: null });
    expect(compareTeachers(store, "t", "t")).toMatchObject({
      points: { n: 4, kappa: 1, kappaQuadratic: 1, sameWord: 1, meanDifference: 0 },
      pairs: { n: 3, equal: 1, kappa: 1 },
    });
    expect(compareTeachers(store, "t", "unknown")).toEqual({ points: null, pairs: null });
  });
});
