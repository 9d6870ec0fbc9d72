import { midRanks } from "../metrics/rank.ts";

/**
 * Images that may be chosen, as the distilled student and the teacher see them; never their MOS. All arrays are in the order
 * of `hashes`.
 */
export interface Candidates {
  hashes: readonly string[];
  /** The student's scores, on 1..5. */
  scores: Float64Array;
  /** The student's pooled features, n × dim, row by row. */
  features: Float32Array;
  dim: number;
  /** The teacher's scores on 1..5 and normalised entropies (0..1); NaN where it gave none. */
  teacherScores: Float64Array;
  teacherEntropy: Float64Array;
  seed: number;
  /** Positions that are chosen already: what comes next complements them. */
  already?: readonly number[];
}

/**
 * A strategy yields positions, best choice first, each once and none of `already`; so a smaller choice is always a prefix of a
 * larger one. Lazy: only as many are computed as are taken.
 */
export type Strategy = (candidates: Candidates) => Generator<number>;

/**
 * How unsure the answers about each image are, 0..1: the mean of its rank by the teacher's entropy and its rank by the
 * disagreement |teacher − student|. Ranks, since the two have no common unit; a missing one counts as the middle.
 */
export function uncertaintyOf({ scores, teacherScores, teacherEntropy }: Candidates): Float64Array {
  const entropy = rankShares(teacherEntropy);
  const disagreement = rankShares(scores.map((score, i) => Math.abs(score - teacherScores[i]!)));
  return entropy.map((share, i) => (share + disagreement[i]!) / 2);
}

/** Mid-ranks of the known values scaled to 0..1; 0.5 for NaN. */
function rankShares(values: Float64Array): Float64Array {
  const known = Float64Array.from(values.keys()).filter((i) => !Number.isNaN(values[i]!));
  const ranks = midRanks(known.map((i) => values[i]!));
  const shares = new Float64Array(values.length).fill(0.5);
  for (const [at, i] of known.entries())
    shares[i] = known.length > 1 ? (ranks[at]! - 1) / (known.length - 1) : 0.5;
  return shares;
}
