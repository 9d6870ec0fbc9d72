import { compare, seededRank } from "../base/seededRank.ts";

/**
 * Chooses the images whose MOS calibrate the student: `ratio` of the candidates (training images that have a MOS), at least 2
 * if there are 2; none for ratio 0. Depends on hashes and seed alone, never on order, and is nested: a smaller ratio of the
 * same candidates is a subset of a larger one. Returned in rank order.
 */
export function chooseCalibrationSubset(candidates: Iterable<string>, ratio: number, seed: number): string[] {
  if (!(ratio >= 0 && ratio <= 1)) throw new RangeError("The ratio must be between 0 and 1.");
  const ranked = [...new Set(candidates)].map((hash) => ({
    hash,
    rank: seededRank(seed, "calibrate", hash),
  }));
  if (ratio === 0) return [];
  ranked.sort((a, b) => compare(a.rank, b.rank) || compare(a.hash, b.hash));
  const size = Math.min(ranked.length, Math.max(2, Math.round(ratio * ranked.length)));
  return ranked.slice(0, size).map(({ hash }) => hash);
}
