import { compare, seededRank } from "../base/seededRank.ts";
import type { Candidates } from "./candidates.ts";

/** By a hash of seed and image alone: the same as `chooseCalibrationSubset`. */
export function* random({ hashes, seed, already = [] }: Candidates): Generator<number> {
  const taken = new Set(already);
  for (const i of seededOrder(hashes, seed)) if (!taken.has(i)) yield i;
}

/** Positions by seeded rank. */
export function seededOrder(hashes: readonly string[], seed: number): number[] {
  const ranks = hashes.map((hash) => seededRank(seed, "calibrate", hash));
  return [...hashes.keys()].sort((i, j) => compare(ranks[i]!, ranks[j]!) || compare(hashes[i]!, hashes[j]!));
}
