import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { srcc } from "../../../src/engine/metrics/agreement.ts";
import { fitPairTemperature, type ScoredPairs } from "../../../src/engine/reliability/pairTemperature.ts";
import { pairConfidence, sigmoid } from "../../../src/engine/teachers/judgement.ts";

/** A teacher whose preferences are sharper or softer than its scores by T, with an error in its logits. */
function pairsOf(n: number, temperature: number, noise = 0, seed = 1): ScoredPairs {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const score = () => Math.min(5, Math.max(1, 3 + 0.8 * normal()));
  const difference = Float64Array.from({ length: n }, () => score() - score());
  const p = difference.map((one) => sigmoid(one / temperature + noise * normal()));
  return { p, difference, weight: p.map((one) => Math.max(0.01, Math.abs(2 * one - 1))) };
}

/** Free scores that minimise point and pair loss alike: what a student tends to that can learn anything. By Adam. */
function learnt(points: Float64Array, pairs: [number, number][], labels: ScoredPairs, temperature: number) {
  const scores = points.slice();
  const [first, second] = [new Float64Array(points.length), new Float64Array(points.length)];
  const total = labels.weight.reduce((sum, one) => sum + one, 0);
  const steps = 300;
  for (let step = 0; step < steps; step++) {
    const gradient = scores.map((one, i) => Math.max(-1, Math.min(1, one - points[i]!)) / points.length);
    for (const [at, [a, b]] of pairs.entries()) {
      const off = sigmoid((scores[a]! - scores[b]!) / temperature) - labels.p[at]!;
      const pull = (labels.weight[at]! * off) / temperature / total;
      gradient[a]! += pull;
      gradient[b]! -= pull;
    }
    for (const [i, g] of gradient.entries()) {
      first[i] = 0.9 * first[i]! + 0.1 * g;
      second[i] = 0.99 * second[i]! + 0.01 * g * g;
      scores[i]! -= (0.02 * (1 - step / steps) * first[i]!) / (Math.sqrt(second[i]!) + 1e-9);
    }
  }
  return scores;
}

it("of sharp letters keeps the scale, and ranks better than T = 1", () => {
  const random = seededRandom(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const quality = Float64Array.from({ length: 300 }, normal);
  const points = quality.map((q) => Math.min(5, Math.max(1, 3 + 0.6 * (q + 0.5 * normal()))));
  const pairs = Array.from({ length: 4 }).flatMap((_, k) =>
    Array.from(quality, (_, i): [number, number] => [i, (i + 17 * k + 1) % 300]),
  );
  const p = Float64Array.from(pairs, ([a, b]) => sigmoid(6 * (quality[a]! - quality[b]! + 0.5 * normal())));
  const labels: ScoredPairs = {
    p,
    difference: Float64Array.from(pairs, ([a, b]) => points[a]! - points[b]!),
    weight: p.map(pairConfidence),
  };
  const fitted = fitPairTemperature(labels);
  const [plain, better] = [1, fitted].map((one) => learnt(points, pairs, labels, one)) as [
    Float64Array,
    Float64Array,
  ];
  const spread = (x: Float64Array) => Math.sqrt(x.reduce((sum, one) => sum + (one - 3) ** 2, 0) / x.length);
  expect(fitted).toBeLessThan(0.5);
  expect(spread(plain) / spread(points)).toBeGreaterThan(1.2);
  expect(spread(better) / spread(points)).toBeLessThan(1.2);
  expect(srcc(better, quality)!).toBeGreaterThan(srcc(plain, quality)! + 0.005);
});

describe("the temperature of the pair-wise loss", () => {
  it("is found again within 5 % from a teacher's own scores and preferences", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.12, max: 8, noNaN: true }), fc.nat(1000), (temperature, seed) => {
        expect(fitPairTemperature(pairsOf(2000, temperature, 0, seed)) / temperature).toBeCloseTo(1, 2);
        const noisy =
          fitPairTemperature(pairsOf(4000, temperature, 0.2 / Math.max(1, temperature), seed)) / temperature;
        expect(noisy).toBeGreaterThan(0.95);
        expect(noisy).toBeLessThan(1.05);
      }),
      { numRuns: 40 },
    );
  });

  it("is the same for mirrored pairs and for weights of another unit", () => {
    const { p, difference, weight } = pairsOf(500, 0.4, 0.5);
    const fitted = fitPairTemperature({ p, difference, weight });
    const mirrored = { p: p.map((one) => 1 - one), difference: difference.map((one) => -one), weight };
    expect(fitPairTemperature(mirrored)).toBe(fitted);
    expect(fitPairTemperature({ p, difference, weight: weight.map((one) => 7 * one) })).toBe(fitted);
  });

  it("hardly moves for a few answers that are certain and wrong", () => {
    const clean = pairsOf(1000, 0.5);
    const p = clean.p.map((one, i) => (i % 100 === 0 ? (one > 0.5 ? 0 : 1) : one));
    const found = fitPairTemperature({ ...clean, p });
    expect(found).toBeGreaterThan(0.5);
    expect(found).toBeLessThan(0.75);
  });

  it("is 1 where the labels cannot tell, and never beyond what makes sense", () => {
    expect(fitPairTemperature(pairsOf(99, 0.3))).toBe(1);
    const { p, difference, weight } = pairsOf(300, 0.3);
    expect(fitPairTemperature({ p: p.map((one) => 1 - one), difference, weight })).toBe(1);
    expect(fitPairTemperature({ p: p.fill(0.5), difference, weight })).toBe(1);
    // Letters without any doubt, and answers that are all but a coin.
    expect(fitPairTemperature({ ...pairsOf(300, 1e-6) })).toBe(0.1);
    expect(fitPairTemperature({ ...pairsOf(300, 1e3) })).toBe(10);
  });
});
