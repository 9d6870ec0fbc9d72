import { type Candidates, uncertaintyOf } from "./candidates.ts";
import { seededOrder } from "./random.ts";

/** Where teacher and student know least: highest entropy and disagreement first, equal ones by seeded rank. */
export function* uncertainty(candidates: Candidates): Generator<number> {
  const unsure = uncertaintyOf(candidates);
  const taken = new Set(candidates.already);
  const order = seededOrder(candidates.hashes, candidates.seed).sort((i, j) => unsure[j]! - unsure[i]!);
  for (const i of order) if (!taken.has(i)) yield i;
}
