import { seededOrder } from "../base/seededRank.ts";

/**
 * Chooses the images whose MOS calibrate the student: `ratio` of the candidates (training images that have a MOS), at least 2
 * if there are 2; none for ratio 0. Depends on hashes and seed alone, never on order, and is nested: a smaller ratio of the
 * same candidates is a subset of a larger one. Returned in rank order.
 */
export function chooseCalibrationSubset(candidates: Iterable<string>, ratio: number, seed: number): string[] {
  if (!(ratio >= 0 && ratio <= 1)) throw new RangeError("The ratio must be between 0 and 1.");
  if (ratio === 0) return [];
  const ranked = seededOrder(seed, "calibrate", new Set(candidates));
  const size = Math.min(ranked.length, Math.max(2, Math.round(ratio * ranked.length)));
  return ranked.slice(0, size);
}
