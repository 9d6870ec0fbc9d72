import { setImmediate } from "node:timers/promises";
import type { Rank } from "../../protocol/images.ts";
import type { Sources } from "./sources.ts";

/** All scores that one scorer gave to images of the index, on 1..5, ascending: what percentiles and bands are read from. */
export interface Ranking {
  sorted(scorer: string): Float64Array;
  /** Reads them in slices, so that `sorted` need not at once. */
  prepare(scorer: string): Promise<void>;
}

/** Up to this many scores are read at once; more are read in slices, the older ones serving meanwhile. */
const atOnce = 20_000;
const slice = 5_000;
/** Reading more than a slice again takes a rest of this many times as long as the last reading took. */
const restShare = 20;

const some = `SELECT s.score, s.hash FROM scores.scores AS s
  WHERE s.scorer = ? AND (s.score, s.hash) > (?, ?) AND EXISTS (
    SELECT 1 FROM dataset.files AS f INDEXED BY files_by_hash WHERE f.hash = s.hash)
  ORDER BY s.score, s.hash LIMIT ?`;

export function openRanking(sources: Sources): Ranking {
  let known:
    | { scorer: string; version: string; values: Float64Array; readMs: number; costMs: number }
    | undefined;
  let reading = false;

  const version = () => `${sources.version("scores")} ${sources.version("dataset")}`;

  function* slices(scorer: string, length: number): Generator<Float64Array> {
    let [score, hash] = [Number.NEGATIVE_INFINITY, ""];
    const statement = sources.prepare(some);
    // Arrays are made several times faster than objects.
    statement.setReturnArrays(true);
    for (;;) {
      const rows = statement.all(scorer, score, hash, length) as unknown as [number, string][];
      if (rows.length === 0) return;
      yield Float64Array.from(rows, (row) => row[0]);
      [score, hash] = rows.at(-1)!;
      if (rows.length < length) return;
    }
  }

  function keep(scorer: string, at: string, started: number, parts: Float64Array[]): void {
    const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let next = 0;
    for (const part of parts) {
      values.set(part, next);
      next += part.length;
    }
    const readMs = performance.now();
    known = { scorer, version: at, values, readMs, costMs: readMs - started };
  }

  async function readSlowly(scorer: string): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      const [at, started] = [version(), performance.now()];
      const parts: Float64Array[] = [];
      for (const part of slices(scorer, slice)) {
        parts.push(part);
        await setImmediate();
        if (!sources.db.isOpen) return;
      }
      keep(scorer, at, started, parts);
    } finally {
      reading = false;
    }
  }

  /** A database that was closed or replaced meanwhile is read with the next question. */
  const readBehind = (scorer: string) => void readSlowly(scorer).catch(() => {});

  return {
    async prepare(scorer) {
      if (known?.scorer !== scorer) await readSlowly(scorer);
    },
    sorted(scorer) {
      const at = version();
      if (known?.scorer === scorer) {
        if (known.version === at) return known.values;
        const rests = performance.now() - known.readMs < restShare * known.costMs;
        if (rests && known.values.length > slice) return known.values;
        if (known.values.length > atOnce) {
          readBehind(scorer);
          return known.values;
        }
      }
      const started = performance.now();
      keep(scorer, at, started, [...slices(scorer, Number.MAX_SAFE_INTEGER)]);
      return known!.values;
    },
  };
}

/** Number of values below `value` in ascending ones; with `orEqual` also those equal to it. */
export function countBelow(sorted: Float64Array, value: number, orEqual = false): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const below = orEqual ? sorted[middle]! <= value : sorted[middle]! < value;
    if (below) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Among fewer a rank says more of the others than of the image. */
export const leastRanked = 20;

/** Where a value stands among ascending ones. */
export function rankOf(sorted: Float64Array, value: number): Rank | null {
  const of = sorted.length;
  if (of < leastRanked) return null;
  return { share: (countBelow(sorted, value) + countBelow(sorted, value, true)) / 2 / of, of };
}
