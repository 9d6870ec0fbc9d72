import { setImmediate } from "node:timers/promises";
import { chunksOf, explainDatabaseError } from "../base/sqlite.ts";
import type { RatingProbabilities } from "../teachers/judgement.ts";
import { openScoreDatabase } from "./scoreFile.ts";

/** What a scorer said of an image. `score` is on 1..5; the other two are the embedded teacher's, null from a student. */
export interface ScoreRow {
  hash: string;
  score: number;
  probabilities: RatingProbabilities | null;
  confidence: number | null;
  /** From the images the student was distilled on, in units of its threshold: above 1 it is far. null: unknown. */
  distance?: number | null;
  /** Standard deviation of a person's score around it, on 1..5; null or absent where the scorer has no error bars. */
  sd?: number | null;
  /** Of a student's targets beside the main one, by name: kept as rows of `scorerOf(scorer, name)`. */
  beside?: Record<string, { score: number; sd?: number }>;
}

/** Who says what of a target beside the main one. */
export function scorerOf(scorer: string, target: string): string {
  return `${scorer}#${target}`;
}

/** Scores of any number of images by scorers' fingerprints. Throws LeafErrors `failed` where the disk does. */
export interface ScoreStore {
  /** Adds or replaces, all or none. Throws RangeError for a score that is no number. */
  put(scorer: string, rows: Iterable<ScoreRow>): void;
  get(scorer: string, hash: string): ScoreRow | undefined;
  /** Those of `hashes` without a score, in their order. Looks when asked for the next one, a thousand at a time. */
  missing(scorer: string, hashes: Iterable<string>): Generator<string>;
  /** The same with a pause after each thousand, so that a million do not hold up everything else. */
  missingInSteps(scorer: string, hashes: Iterable<string>): AsyncGenerator<string>;
  count(scorer: string): number;
  /** All scores, ascending. Kept until something is put; the first call reads them all (about 0.5 s for a million). */
  sortedScores(scorer: string): Float64Array;
  /** Share of the scored images that are strictly worse, plus half of the equal ones, 0..1; null where none is scored. */
  percentile(scorer: string, score: number): number | null;
  /** Forgets all scorers but those to keep, in small steps. Configs of one folder share a store: keep those of all of them. */
  removeOthers(isKept: (scorer: string) => boolean): Promise<void>;
  close(): void;
}

const lookups = 1000;
const removals = 2000;
/** Up to here reading all scores once is cheaper than counting by SQL at every look. */
const fewScores = 50_000;

/** Opens `.leaf/cache/scores.sqlite`; made if it is missing, and anew if it is damaged or of another version. */
export function openScores(file: string): ScoreStore {
  const db = openScoreDatabase(file);
  const upsert = db.prepare(
    "INSERT OR REPLACE INTO scores (scorer, hash, score, excellent, good, fair, poor, bad, confidence, distance, sd) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const byHash = db.prepare("SELECT * FROM scores WHERE scorer = ? AND hash = ?");
  const absent = db.prepare(
    "SELECT value AS hash FROM json_each(?) AS wanted WHERE NOT EXISTS " +
      "(SELECT 1 FROM scores WHERE scorer = ? AND hash = wanted.value) ORDER BY wanted.key",
  );
  const counted = db.prepare("SELECT count(*) AS n FROM scores WHERE scorer = ?");
  const ascending = db.prepare("SELECT score FROM scores WHERE scorer = ? ORDER BY score");
  ascending.setReturnArrays(true);
  const below = db.prepare(
    "SELECT (SELECT count(*) FROM scores WHERE scorer = ?1 AND score < ?2) AS worse, " +
      "(SELECT count(*) FROM scores WHERE scorer = ?1 AND score = ?2) AS equal",
  );
  const dataVersion = db.prepare("PRAGMA data_version");

  const counts = new Map<string, number>();
  const sorted = new Map<string, Float64Array>();
  let version = dataVersion.get()?.data_version;
  /** Another window may write to the same file. */
  function dropOutdated(): void {
    const now = dataVersion.get()?.data_version;
    if (now === version) return;
    version = now;
    counts.clear();
    sorted.clear();
  }

  function guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (db.isOpen && db.isTransaction) db.exec("ROLLBACK");
      throw explainDatabaseError(error, file);
    }
  }

  function count(scorer: string): number {
    dropOutdated();
    let n = counts.get(scorer);
    if (n === undefined) {
      n = guarded(() => Number(counted.get(scorer)?.n));
      counts.set(scorer, n);
    }
    return n;
  }

  function absentOf(scorer: string, hashes: string[]): string[] {
    return guarded(() => absent.all(JSON.stringify(hashes), scorer)).map(({ hash }) => String(hash));
  }

  function sortedScores(scorer: string): Float64Array {
    const n = count(scorer);
    const known = sorted.get(scorer);
    if (known) return known;
    const scores = new Float64Array(n);
    guarded(() => {
      let i = 0;
      for (const row of ascending.iterate(scorer)) scores[i++] = (row as unknown as [number])[0];
    });
    sorted.set(scorer, scores);
    return scores;
  }

  return {
    put: (scorer, rows) =>
      guarded(() => {
        const before = count(scorer);
        const others = new Set<string>();
        let added = 0;
        db.exec("BEGIN IMMEDIATE");
        for (const { hash, score, probabilities, confidence, distance, sd, beside = {} } of rows) {
          if (!Number.isFinite(score)) throw new RangeError(`The score of ${hash} is ${score}.`);
          if (!byHash.get(scorer, hash)) added++;
          const [excellent, good, fair, poor, bad] = probabilities ?? [null, null, null, null, null];
          const told = [excellent, good, fair, poor, bad, confidence, distance ?? null, sd ?? null];
          upsert.run(scorer, hash, score, ...told);
          for (const [name, one] of Object.entries(beside)) {
            if (!Number.isFinite(one.score)) throw new RangeError(`The score of ${hash} is ${one.score}.`);
            const other = scorerOf(scorer, name);
            others.add(other);
            upsert.run(other, hash, one.score, ...Array<null>(7).fill(null), one.sd ?? null);
          }
        }
        db.exec("COMMIT");
        counts.set(scorer, before + added);
        sorted.delete(scorer);
        for (const other of others) {
          counts.delete(other);
          sorted.delete(other);
        }
      }),
    get: (scorer, hash) => guarded(() => toRow(byHash.get(scorer, hash))),
    *missing(scorer, hashes) {
      for (const some of chunksOf(hashes, lookups)) yield* absentOf(scorer, some);
    },
    async *missingInSteps(scorer, hashes) {
      for (const some of chunksOf(hashes, lookups)) {
        if (!db.isOpen) return;
        yield* absentOf(scorer, some);
        await setImmediate();
      }
    },
    count,
    sortedScores,
    percentile(scorer, score) {
      const n = count(scorer);
      if (n === 0) return null;
      if (n > fewScores && !sorted.has(scorer)) {
        const row = guarded(() => below.get(scorer, score));
        return (Number(row?.worse) + Number(row?.equal) / 2) / n;
      }
      const scores = sortedScores(scorer);
      return (firstAt(scores, score) + firstAbove(scores, score)) / 2 / n;
    },
    async removeOthers(isKept) {
      const others = guarded(() => scorersOf()).filter((one) => !isKept(one));
      for (const other of others) {
        for (;;) {
          if (!db.isOpen) return;
          const { changes } = guarded(() =>
            db
              .prepare(
                "DELETE FROM scores WHERE scorer = ?1 AND hash IN (SELECT hash FROM scores WHERE scorer = ?1 LIMIT ?2)",
              )
              .run(other, removals),
          );
          counts.delete(other);
          sorted.delete(other);
          if (changes === 0) break;
          await setImmediate();
        }
      }
    },
    close: () => db.close(),
  };

  /** From one to the next by the key: a DISTINCT would read every row. */
  function scorersOf(): string[] {
    const next = db.prepare("SELECT min(scorer) AS scorer FROM scores WHERE scorer > ?");
    const found: string[] = [];
    for (let last = ""; ; ) {
      const scorer = next.get(last)?.scorer;
      if (typeof scorer !== "string") return found;
      found.push(scorer);
      last = scorer;
    }
  }
}

function toRow(row: Record<string, unknown> | undefined): ScoreRow | undefined {
  if (!row) return undefined;
  const { hash, score, excellent, good, fair, poor, bad, confidence, distance, sd } = row;
  const probabilities = excellent === null ? null : [excellent, good, fair, poor, bad].map(Number);
  return {
    hash: String(hash),
    score: Number(score),
    probabilities: probabilities as RatingProbabilities | null,
    confidence: confidence === null ? null : Number(confidence),
    distance: distance === null ? null : Number(distance),
    sd: sd === null ? null : Number(sd),
  };
}

/** Index of the first value that is not smaller. */
function firstAt(ascending: Float64Array, value: number): number {
  return search(ascending, (other) => other >= value);
}

/** Index of the first value that is larger. */
function firstAbove(ascending: Float64Array, value: number): number {
  return search(ascending, (other) => other > value);
}

function search(ascending: Float64Array, isAtOrAfter: (value: number) => boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAtOrAfter(ascending[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
