import type { FailureSummary } from "./failures.ts";
import type { HumanCeiling } from "./results.ts";

/** Error of left-out images against the number of ratings, and what more of them would bring. In the unit of the MOS. */
export interface LearningCurve {
  /** Human scores of training images so far. */
  ratings: number;
  points: { ratings: number; rmse: number }[];
  /** rmse = floor + scale · ratings^−rate. */
  fit: { floor: number; scale: number; rate: number };
  /** Expected error with all ratings, by the fit. */
  now: number;
  /** Expected decrease of the error by so many more ratings, with its 95 % interval. */
  next: { ratings: number; gain: number; ci95: [number, number] };
  /** Even the upper end of the gain is under 1 % of the scale. */
  enough: boolean;
  /** How far people agree on the rated images, where single ratings are known: more images do not raise it, more ratings an image do. */
  ceiling?: HumanCeiling;
}

/** The closed form of the ratings so far, before anybody calibrates: `leaf refit`. Scores and deviations are in the unit of the MOS. */
export interface Refit {
  /** Ratings that it was fitted to: those that the config calibrates with. */
  ratings: number;
  /** What the fit took; features were there. */
  seconds: number;
  /** Agreement on ratings left out, with its 95 % interval. */
  expected: { srcc: number | null; ci95: [number, number] | null };
  /** Unrated training images, best first; `sd`: of a person's rating around the score. */
  images: { hash: string; image: string; score: number; sd: number }[];
}

export type SelectionStrategy = "random" | "quantile" | "kcenter" | "uncertainty" | "combined";

/** What `leaf select` prints and the Rate view shows. */
export interface SelectResult {
  strategy: SelectionStrategy;
  split: "train" | "val" | "test";
  /** In the order to be rated: any number from the start is a good choice. */
  images: { image: string; hash: string; predicted: number | null }[];
  /** Images it was chosen from; fewer than there are where a large folder was sampled. */
  pool: { images: number; considered: number };
  /** Null with too few ratings so far, or without a distilled student. */
  curve: LearningCurve | null;
  /** Absent where nothing failed. */
  failures?: FailureSummary;
}
