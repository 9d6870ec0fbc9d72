import { hash } from "node:crypto";

/** A fixed pseudo-random position of `key` under `seed`: 16 hex digits, independent of all other keys. */
export function seededRank(seed: number, purpose: string, key: string): string {
  return hash("sha256", `${purpose}\0${seed}\0${key}`, "hex").slice(0, 16);
}

/** By code unit: the same on every machine, unlike localeCompare. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
