import { createHash } from "node:crypto";

/** A fixed pseudo-random position of `key` under `seed`: 16 hex digits, independent of all other keys. */
export function seededRank(seed: number, purpose: string, key: string): string {
  return createHash("sha256").update(`${purpose}\0${seed}\0${key}`).digest("hex").slice(0, 16);
}

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

/** By code unit: the same on every machine, unlike localeCompare. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
