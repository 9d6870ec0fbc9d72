import type { Rank } from "../../protocol/images.ts";
import { numberOf, readImages, readScores, type Shelf } from "./columns.ts";

/** All scores that one scorer gave to usable images of the index, on 1..5, ascending: what percentiles and bands are read from. */
export interface Ranking {
  sorted(scorer: string): Float64Array;
  /** Reads them in slices, so that `sorted` need not at once. */
  prepare(scorer: string): Promise<void>;
}

/** Up to this many scores are read at once; more are read in slices, the older ones serving meanwhile. */
const atOnce = 20_000;
/** Reading more than so many again takes a rest of `restShare` times as long as the last reading took. */
const few = 5_000;
const restShare = 20;

const all = `SELECT s.score FROM scores.scores AS s
  WHERE s.scorer = ? AND EXISTS (SELECT 1 FROM dataset.files AS f WHERE f.hash = s.hash AND f.error IS NULL)`;

export function openRanking(shelf: Shelf): Ranking {
  const { sources } = shelf;
  let known:
    | { scorer: string; version: string; values: Float64Array; readMs: number; costMs: number }
    | undefined;
  let reading = false;

  const versionOf = (scores: string, dataset: string) => `${scores} ${dataset}`;
  const version = () => versionOf(sources.version("scores"), sources.version("dataset"));

  function keep(scorer: string, at: string, started: number, scores: Float64Array): void {
    const readMs = performance.now();
    const values = scores.filter((score) => !Number.isNaN(score)).sort();
    known = { scorer, version: at, values, readMs, costMs: readMs - started };
  }

  async function readSlowly(scorer: string): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      const started = performance.now();
      const images = await readImages(shelf);
      const { score, version } = await readScores(shelf, images, scorer);
      keep(scorer, versionOf(version, images.version), started, score);
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
        if (rests && known.values.length > few) return known.values;
        if (known.values.length > atOnce) {
          readBehind(scorer);
          return known.values;
        }
      }
      const started = performance.now();
      const statement = sources.prepare(all);
      // Arrays are made several times faster than objects.
      statement.setReturnArrays(true);
      const rows = statement.all(scorer) as unknown as [unknown][];
      keep(
        scorer,
        at,
        started,
        Float64Array.from(rows, ([score]) => numberOf(score)),
      );
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
