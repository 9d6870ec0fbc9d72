import { logit, pairConfidence, pointConfidence, type RatingProbabilities, sigmoid } from "../judgement.ts";

/** What one teacher says of an image, and how much it has to say. */
export interface WeighedPoint {
  weight: number;
  probabilities: RatingProbabilities;
}

/** What one teacher says of a pair, asked as (a, b) and as (b, a). */
export interface WeighedPair {
  weight: number;
  pAB: number;
  /** Null where one order was asked. */
  pBA: number | null;
}

/** No teacher is believed to be surer than this: one that gives a rating no probability at all would overrule all others. */
const leastProbability = 1e-3;

/**
 * Ratings of several teachers as one: the weighted mean of their log-probabilities, normalised (logarithmic opinion pool: Genest and
 * Zidek 1986). `confidence` is 1 − H/ln 5 of the weighted mean of their probabilities. So it is the mean confidence less the
 * Jensen-Shannon divergence of the teachers: it falls by how far they disagree. Weights are positive, and need not sum to 1.
 */
export function combinePoints(points: readonly WeighedPoint[]): {
  probabilities: RatingProbabilities;
  confidence: number;
} {
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  const over = (value: (p: number) => number) =>
    [0, 1, 2, 3, 4].map((k) =>
      points.reduce((sum, { weight, probabilities }) => sum + (weight / total) * value(probabilities[k]!), 0),
    );
  const raised = over((p) => Math.log(Math.max(leastProbability, p))).map(Math.exp);
  const all = raised.reduce((sum, p) => sum + p, 0);
  return {
    probabilities: raised.map((p) => p / all) as unknown as RatingProbabilities,
    confidence: pointConfidence(over((p) => p) as unknown as RatingProbabilities),
  };
}

/**
 * Preferences of several teachers as one: in each order the weighted mean of their log-odds. `confidence`: as for ratings, of the mean
 * of their probabilities over both orders. `pBA` is null where any of them was asked in one order.
 */
export function combinePairs(pairs: readonly WeighedPair[]): {
  pAB: number;
  pBA: number | null;
  confidence: number;
} {
  const total = pairs.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (value: (pair: WeighedPair) => number) =>
    pairs.reduce((sum, pair) => sum + (pair.weight / total) * value(pair), 0);
  const odds = (p: number) => logit(Math.min(1 - leastProbability, Math.max(leastProbability, p)));
  const both = pairs.every(({ pBA }) => pBA !== null);
  const own = ({ pAB, pBA }: WeighedPair) => (both ? sigmoid((logit(pAB) + logit(pBA!)) / 2) : pAB);
  return {
    pAB: sigmoid(mean(({ pAB }) => odds(pAB))),
    pBA: both ? sigmoid(mean(({ pBA }) => odds(pBA!))) : null,
    confidence: pairConfidence(mean(own)),
  };
}
