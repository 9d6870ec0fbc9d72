import { keyOf } from "../../base/keys.ts";
import { hashWords } from "../../base/random.ts";
import { srcc } from "../../metrics/agreement.ts";

/** Images fall into so many folds by their hash; the labels of one are weighed without its ratings. */
export const foldCount = 5;
/** Fewer ratings say nothing: all teachers weigh the same. */
export const leastRatings = 10;
/** So many ratings move a weight half of the way from equal to what they say. */
const halfway = 20;
/** Weights are multiples of it: one rating more seldom makes other labels. */
const step = 0.05;

/** How much each teacher of an ensemble has to say; each list sums to 1. */
export interface EnsembleWeights {
  /** By all ratings: for people to read. */
  all: number[];
  /** Without the ratings of one fold ("2") or of two ("2,4"); none where they are the same for all images. */
  without: Record<string, number[]>;
}

export function foldOf(hash: string): number {
  return hashWords(hash)[0] % foldCount;
}

const keyOfFolds = (folds: number[]) => [...new Set(folds)].sort().join(",");

/** The weights for the label of an image or of a pair: no rating of these took part in them. */
export function weightsFor(weights: EnsembleWeights, hashes: readonly string[]): number[] {
  return weights.without[keyOfFolds(hashes.map(foldOf))] ?? weights.all;
}

export function fixedWeights(given: readonly number[]): EnsembleWeights {
  const total = given.reduce((sum, one) => sum + one, 0);
  return { all: given.map((one) => one / total), without: {} };
}

/** A calibration image: its rating, higher is better, and what each teacher says. */
export interface RatedScores {
  hash: string;
  truth: number;
  scores: readonly number[];
}

/**
 * Weights by agreement with ratings, cross-fitted. A teacher with rank correlation r (SRCC) gets r²/(1 − r²), which is its precision
 * if its errors are independent of the others'; one at chance or below nothing. That is drawn towards equal weights, by half with 20
 * ratings. Equal with fewer than 10 ratings, or where nobody agrees with them.
 */
export function fitWeights(rated: readonly RatedScores[], teachers: number): EnsembleWeights {
  if (rated.length < leastRatings) return fixedWeights(new Array<number>(teachers).fill(1));
  const without: Record<string, number[]> = {};
  for (let f = 0; f < foldCount; f++)
    for (let g = f; g < foldCount; g++)
      without[keyOfFolds([f, g])] = weightsBy(
        rated.filter(({ hash }) => ![f, g].includes(foldOf(hash))),
        teachers,
      );
  const all = weightsBy(rated, teachers);
  const same = Object.values(without).every((one) => keyOf(one) === keyOf(all));
  return { all, without: same ? {} : without };
}

function weightsBy(rated: readonly RatedScores[], teachers: number): number[] {
  const truth = Float64Array.from(rated, (one) => one.truth);
  const precision = Array.from({ length: teachers }, (_, t) => {
    const r = srcc(
      Float64Array.from(rated, ({ scores }) => scores[t]!),
      truth,
    );
    const known = Math.min(0.95, Math.max(0, r ?? 0));
    return known ** 2 / (1 - known ** 2);
  });
  const total = precision.reduce((sum, one) => sum + one, 0);
  const equal = 1 / teachers;
  if (total === 0) return new Array<number>(teachers).fill(equal);
  const share = rated.length / (rated.length + halfway);
  const steps = precision.map((one) =>
    // Nobody is silenced: few ratings do not tell chance from a weak teacher.
    Math.max(1, Math.round((share * (one / total) + (1 - share) * equal) / step)),
  );
  return fixedWeights(steps).all;
}
