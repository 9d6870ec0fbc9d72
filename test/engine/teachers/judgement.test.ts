import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  combineOrders,
  expectedScore,
  logit,
  pairConfidence,
  pointConfidence,
  type RatingProbabilities,
  sigmoid,
} from "../../../src/engine/teachers/judgement.ts";

const uniform: RatingProbabilities = [0.2, 0.2, 0.2, 0.2, 0.2];
const probability = fc.double({ min: 0, max: 1, noNaN: true });
const inner = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
const ratings = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 })
  .filter((weights) => weights.some((w) => w > 1e-6))
  .map((weights) => {
    const sum = weights.reduce((total, w) => total + w, 0);
    return weights.map((w) => w / sum) as unknown as RatingProbabilities;
  });

describe("a point-wise judgement", () => {
  it("scores excellent 5 and bad 1", () => {
    expect(expectedScore([1, 0, 0, 0, 0])).toBe(5);
    expect(expectedScore([0, 0, 0, 0, 1])).toBe(1);
    expect(expectedScore([0.5, 0.25, 0.25, 0, 0])).toBe(4.25);
    expect(expectedScore(uniform)).toBeCloseTo(3, 12);
  });

  it("is certain on one word, and knows nothing on all five", () => {
    expect(pointConfidence([0, 1, 0, 0, 0])).toBe(1);
    expect(pointConfidence(uniform)).toBeCloseTo(0, 12);
    expect(pointConfidence([0.5, 0.5, 0, 0, 0])).toBeCloseTo(1 - Math.LN2 / Math.log(5), 12);
  });

  it("stays on 1..5 with a confidence on 0..1, and turns with its words", () => {
    fc.assert(
      fc.property(ratings, (p) => {
        expect(expectedScore(p)).toBeGreaterThan(1 - 1e-9);
        expect(expectedScore(p)).toBeLessThan(5 + 1e-9);
        expect(pointConfidence(p)).toBeGreaterThanOrEqual(0);
        expect(pointConfidence(p)).toBeLessThanOrEqual(1);
        const turned = [...p].reverse() as unknown as RatingProbabilities;
        expect(expectedScore(turned)).toBeCloseTo(6 - expectedScore(p), 9);
        expect(pointConfidence(turned)).toBeCloseTo(pointConfidence(p), 9);
      }),
    );
  });
});

describe("a pair-wise preference", () => {
  it("has a confidence of 1 − H / ln 2", () => {
    expect(pairConfidence(0.5)).toBeCloseTo(0, 12);
    expect(pairConfidence(0)).toBe(1);
    expect(pairConfidence(1)).toBe(1);
    // H(0.9) is 0.468996 bits.
    expect(pairConfidence(0.9)).toBeCloseTo(1 - 0.4689955935892812, 12);
  });

  it("is the mean of both orders in logit space", () => {
    expect(combineOrders(0.7, 0.7).p).toBeCloseTo(0.7, 12);
    expect(combineOrders(0.7, 0.7).positionBias).toBe(0);
    // logit 0.9 = ln 9 and logit 0.5 = 0: their mean is ln 3, which is 0.75.
    expect(combineOrders(0.9, 0.5).p).toBeCloseTo(0.75, 12);
    expect(combineOrders(0.9, 0.5).positionBias).toBeCloseTo(Math.log(9), 12);
  });

  it("is undecided for a teacher who merely likes the first place", () => {
    const { p, positionBias } = combineOrders(0.8, 0.2);
    expect(p).toBeCloseTo(0.5, 12);
    expect(positionBias).toBeCloseTo(2 * Math.log(4), 12);
  });

  it("stays finite for certain answers", () => {
    fc.assert(
      fc.property(probability, probability, (ab, ba) => {
        const { p, positionBias } = combineOrders(ab, ba);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThan(1);
        expect(Number.isFinite(positionBias)).toBe(true);
        expect(pairConfidence(p)).toBeGreaterThanOrEqual(0);
        expect(pairConfidence(p)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("mirrors when the images are exchanged", () => {
    fc.assert(
      fc.property(inner, inner, (ab, ba) => {
        const one = combineOrders(ab, ba);
        const other = combineOrders(1 - ba, 1 - ab);
        expect(other.p).toBeCloseTo(1 - one.p, 9);
        expect(other.positionBias).toBeCloseTo(one.positionBias, 6);
        expect(pairConfidence(other.p)).toBeCloseTo(pairConfidence(one.p), 9);
      }),
    );
  });

  it("has a logit that the sigmoid undoes", () => {
    fc.assert(
      fc.property(inner, (p) => {
        expect(sigmoid(logit(p))).toBeCloseTo(p, 12);
      }),
    );
  });
});
