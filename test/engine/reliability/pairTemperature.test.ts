import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { fitPairTemperature, type ScoredPairs } from "../../../src/engine/reliability/pairTemperature.ts";
import { sigmoid } from "../../../src/engine/teachers/judgement.ts";

/** A teacher whose preferences are sharper or softer than its scores by T, with an error in its logits. */
function pairsOf(n: number, temperature: number, noise = 0, seed = 1): ScoredPairs {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const score = () => Math.min(5, Math.max(1, 3 + 0.8 * normal()));
  const difference = Float64Array.from({ length: n }, () => score() - score());
  const p = difference.map((one) => sigmoid(one / temperature + noise * normal()));
  return { p, difference, weight: p.map((one) => Math.max(0.01, Math.abs(2 * one - 1))) };
}

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
