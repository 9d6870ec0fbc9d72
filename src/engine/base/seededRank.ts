import { hash } from "node:crypto";

/** A fixed pseudo-random position of `key` under `seed`: 16 hex digits, independent of all other keys. */
export function seededRank(seed: number, purpose: string, key: string): string {
  return hash("sha256", `${purpose}\0${seed}\0${key}`, "hex").slice(0, 16);
}

/** Keys in the order of their ranks, and of themselves where two are equal. */
export function seededOrder(seed: number, purpose: string, keys: Iterable<string>): string[] {
  const ranked = Array.from(keys, (key) => {
    const rank = seededRank(seed, purpose, key);
    // The first 13 digits, as a number that is exact: compared in a fraction of the time of texts.
    return { key, rank, first: Number.parseInt(rank.slice(0, 13), 16) };
  });
  ranked.sort((a, b) => a.first - b.first || compare(a.rank, b.rank) || compare(a.key, b.key));
  return ranked.map(({ key }) => key);
}

/** By code unit: the same on every machine, unlike localeCompare. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
