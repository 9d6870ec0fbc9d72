import { setImmediate } from "node:timers/promises";
import { inSteps } from "./kept.ts";

/** Which rows of a table, and how they are sorted. */
export interface Wanted {
  /** A row has to meet all. */
  conditions: ((row: number) => boolean)[];
  /** What rows are sorted by: unknown ones (NaN) come last, equal ones stay as they are. Without it all stay as they are. */
  key?: (row: number) => number;
  descending: boolean;
}

/** The wanted ones of so many rows, in order. The event loop runs before it ends, since reading a page takes a turn of its own. */
export async function ordered(rows: number, { conditions, key, descending }: Wanted): Promise<Int32Array> {
  const all = new Int32Array(rows);
  let count = 0;
  await inSteps(rows, (row) => {
    for (const isMet of conditions) if (!isMet(row)) return;
    all[count++] = row;
  });
  const found = all.slice(0, count);
  await setImmediate();
  if (!key) return descending ? found.reverse() : found;
  const keys = new Float64Array(count);
  await inSteps(count, (i) => {
    keys[i] = key(found[i]!);
  });
  return sorted(found, keys, descending);
}

const digits = 4;

/** By radix: its time grows as the rows do, and it may pause between the digits. Overwrites `keys`. */
async function sorted(rows: Int32Array, keys: Float64Array, descending: boolean): Promise<Int32Array> {
  const count = rows.length;
  const words = new Uint32Array(keys.buffer);
  const turn = descending ? 0xffffffff : 0;
  await inSteps(count, (i) => {
    // As an unsigned number in the order of the floats, -0 as 0; unknown ones are the largest.
    if (Number.isNaN(keys[i]!)) {
      words[2 * i] = words[2 * i + 1] = 0xffffffff;
      return;
    }
    keys[i]! += 0;
    const high = words[2 * i + 1]!;
    const isNegative = high >= 0x80000000;
    words[2 * i]! ^= isNegative ? ~turn : turn;
    words[2 * i + 1] = high ^ turn ^ (isNegative ? 0xffffffff : 0x80000000);
  });
  const halves = new Uint16Array(keys.buffer);
  let [from, to] = [new Int32Array(count), new Int32Array(count)];
  for (let i = 0; i < count; i++) from[i] = i;
  for (let digit = 0; digit < digits; digit++) {
    await setImmediate();
    const ends = new Uint32Array(0x10000);
    for (let i = 0; i < count; i++) ends[halves[digits * i + digit]!]!++;
    if (ends[halves[digit]!] === count) continue; // All have the same.
    for (let value = 1; value < 0x10000; value++) ends[value]! += ends[value - 1]!;
    for (let i = count - 1; i >= 0; i--) {
      const row = from[i]!;
      to[--ends[halves[digits * row + digit]!]!] = row;
    }
    [from, to] = [to, from];
  }
  for (let i = 0; i < count; i++) to[i] = rows[from[i]!]!;
  await setImmediate();
  return to;
}

/** A page of a list. With `around` the page of `limit` rows that holds this row, if the list does; `offset` says where it starts. */
export function pageOf(
  list: Int32Array,
  { offset, limit }: { offset: number; limit: number },
  around?: number,
): { rows: Int32Array; total: number; offset?: number } {
  const at = around === undefined ? -1 : list.indexOf(around);
  const start = at < 0 ? offset : at - (at % Math.max(1, limit));
  const rows = list.subarray(start, start + limit);
  return { rows, total: list.length, ...(at < 0 ? {} : { offset: start }) };
}
