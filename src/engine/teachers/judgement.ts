/** Probabilities of excellent, good, fair, poor and bad, in this order; they sum to 1. */
export type RatingProbabilities = readonly [number, number, number, number, number];

export const ratingWords = ["excellent", "good", "fair", "poor", "bad"] as const;

/** Under this mass on the five rating words a teacher did not follow the prompt, and its answer is not used. */
export const minRatingMass = 0.5;

/** Expected rating on 5..1: s = Σ k·p_k, excellent = 5 … bad = 1 (LEAF, arXiv 2601.20689; Q-Align). */
export function expectedScore(p: RatingProbabilities): number {
  return 5 * p[0] + 4 * p[1] + 3 * p[2] + 2 * p[3] + p[4];
}

function entropy(probabilities: readonly number[]): number {
  let h = 0;
  for (const p of probabilities) if (p > 0) h -= p * Math.log(p);
  return h;
}

/** 1 − H/ln 5: 1 when one word has all the mass, 0 when all five are equal. */
export function pointConfidence(p: RatingProbabilities): number {
  return Math.max(0, 1 - entropy(p) / Math.log(5));
}

/** 1 − H/ln 2 of a preference P(A better): 1 when certain, 0 at 0.5 (LEAF, entropy-based confidence). */
export function pairConfidence(p: number): number {
  return Math.max(0, 1 - entropy([p, 1 - p]) / Math.LN2);
}

const edge = 1e-9;

export function logit(p: number): number {
  const q = Math.min(1 - edge, Math.max(edge, p));
  return Math.log(q / (1 - q));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * One preference from both orders: the mean in logit space, so that a teacher that merely likes the first
 * position ends at 0.5. The bias is the difference of the two logits; 0 means order did not matter.
 */
export function combineOrders(pAB: number, pBA: number): { p: number; positionBias: number } {
  const [ab, ba] = [logit(pAB), logit(pBA)];
  return { p: sigmoid((ab + ba) / 2), positionBias: ab - ba };
}
