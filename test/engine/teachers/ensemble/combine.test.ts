import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combinePairs, combinePoints } from "../../../../src/engine/teachers/ensemble/combine.ts";
import {
  pairConfidence,
  pointConfidence,
  type RatingProbabilities,
} from "../../../../src/engine/teachers/judgement.ts";

const probability = fc.double({ min: 0.002, max: 0.998, noNaN: true });
const ratings = fc
  .array(fc.double({ min: 0.05, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 })
  .map((p) => p.map((one) => one / p.reduce((a, b) => a + b, 0)) as unknown as RatingProbabilities);
const weight = fc.double({ min: 0.1, max: 10, noNaN: true });

describe("ratings", () => {
  it("two teachers that weigh 1 and 3", () => {
    const [p, q]: RatingProbabilities[] = [
      [0.6, 0.2, 0.1, 0.05, 0.05],
      [0.1, 0.2, 0.4, 0.2, 0.1],
    ];
    const found = combinePoints([
      { weight: 1, probabilities: p! },
      { weight: 3, probabilities: q! },
    ]);
    const raised = p!.map((one, k) => one ** 0.25 * q![k]! ** 0.75);
    const total = raised.reduce((a, b) => a + b, 0);
    for (const [k, one] of found.probabilities.entries()) expect(one).toBeCloseTo(raised[k]! / total, 12);
    expect(found.confidence).toBeCloseTo(pointConfidence([0.225, 0.2, 0.325, 0.1625, 0.0875]), 12);
  });

  it("are those of one where all say the same, in whatever order", () => {
    fc.assert(
      fc.property(ratings, ratings, weight, weight, (p, q, v, w) => {
        const same = combinePoints([
          { weight: v, probabilities: p },
          { weight: w, probabilities: p },
        ]);
        for (const [k, one] of same.probabilities.entries()) expect(one).toBeCloseTo(p[k]!, 9);
        expect(same.confidence).toBeCloseTo(pointConfidence(p), 9);
        const both = [
          { weight: v, probabilities: p },
          { weight: w, probabilities: q },
        ];
        const [one, other] = [combinePoints(both), combinePoints(both.reverse())];
        for (const [k, share] of one.probabilities.entries())
          expect(share).toBeCloseTo(other.probabilities[k]!, 9);
        // Less than their mean by the Jensen-Shannon divergence, which is no less than 0.
        const mean = (v * pointConfidence(p) + w * pointConfidence(q)) / (v + w);
        expect(one.confidence).toBeLessThanOrEqual(mean + 1e-9);
      }),
    );
  });

  it("a teacher that is certain does not silence the others", () => {
    const certain: RatingProbabilities = [1, 0, 0, 0, 0];
    const other: RatingProbabilities = [0, 0, 0, 0, 1];
    const { probabilities, confidence } = combinePoints([
      { weight: 1, probabilities: certain },
      { weight: 1, probabilities: other },
    ]);
    expect(probabilities[0]).toBeCloseTo(probabilities[4], 12);
    expect(confidence).toBeLessThan(1 - Math.log(2) / Math.log(5) + 1e-9);
  });
});

describe("preferences", () => {
  it("are the mean of the log-odds, in each order", () => {
    const { pAB, pBA, confidence } = combinePairs([
      { weight: 1, pAB: 0.9, pBA: 0.8 },
      { weight: 1, pAB: 0.6, pBA: 0.5 },
    ]);
    expect(pAB / (1 - pAB)).toBeCloseTo(Math.sqrt(9 * 1.5), 9);
    expect(pBA! / (1 - pBA!)).toBeCloseTo(2, 9);
    // Their own: odds 6 and sqrt(1.5).
    const mean = (6 / 7 + Math.sqrt(1.5) / (1 + Math.sqrt(1.5))) / 2;
    expect(confidence).toBeCloseTo(pairConfidence(mean), 9);
  });

  it("that are opposite say nothing, and one order alone is kept as such", () => {
    fc.assert(
      fc.property(probability, (p) => {
        const found = combinePairs([
          { weight: 2, pAB: p, pBA: null },
          { weight: 2, pAB: 1 - p, pBA: p },
        ]);
        expect(found.pAB).toBeCloseTo(0.5, 9);
        expect(found.pBA).toBeNull();
        expect(found.confidence).toBeCloseTo(0, 9);
      }),
    );
  });
});
