import type { ItemFailure } from "../../protocol/failures.ts";
import type { ProgressSink } from "../../protocol/progress.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { forEachBounded } from "../base/pool.ts";
import { whenFree } from "../base/whenFree.ts";
import { defaultStopAfterFailures } from "../config/config.ts";
import { withoutName } from "../failures/words.ts";
import type { LeastConfidence } from "../labels/counting.ts";
import type { LabelStore } from "../labels/labels.ts";
import type { Orders, Teacher, TeacherImage } from "../teachers/teacher.ts";
import { failureRate, firstAnswers, type Judged, lastAnswers, paused, stoppedEarly } from "./firstAnswers.ts";
import type { PairPlan } from "./pairs.ts";

export interface LabellingOptions {
  store: LabelStore;
  teacher: Teacher;
  /** Images that get a point, ordered by hash; walked several times. */
  images: () => Iterable<TeacherImage>;
  /** Any image; without it they are all kept in memory for the pairs. */
  imageOf?: (hash: string) => TeacherImage;
  pairs: PairPlan;
  /** Whose scores near pairs go by: a fingerprint; by default the teacher's own. */
  leader?: string;
  /** Hashes of the images that pairs are drawn from; by default all. */
  paired?: () => Iterable<string>;
  /** Asked beside these, once they are done, and counted apart. Without an answer nothing is lost. */
  checks?: { images: readonly string[]; pairs: readonly [string, string][] };
  /** Pairs under it count as discarded; they are stored all the same. */
  minConfidence: LeastConfidence;
  only?: "points" | "pairs";
  /** Ask pairs in both orders (the default), or in one. */
  orders?: Orders;
  /** Also ask for a short reason for each image that has a score, if the teacher has words. */
  reasons?: boolean;
  /** Calls of the teacher under way at once; by default what the teacher says. */
  concurrency?: number;
  /** Stops with an error where that many answers failed before a good one; null never does. */
  stopAfterFailures?: number | null;
  /** Stops, once, where a larger share of the last answers failed; never by default. */
  pauseAtFailures?: number | null;
  /** Ask again what failed in an earlier run (the default). */
  retryFailed?: boolean;
  signal?: AbortSignal;
  onProgress?: ProgressSink;
  /** A line worth keeping, such as that another process holds the store. */
  onNote?: (message: Text) => void;
  /** Every image, pair and reason that failed, but not the pairs that were not asked since an image of theirs failed. */
  onFailure?: (failure: ItemFailure) => void;
}

/** The options, with what is told on the way. */
export interface Telling extends LabellingOptions {
  onFailure: (failure: ItemFailure) => void;
  /** A failure of each kind, for the sentence that ends a run. */
  example: Partial<Record<ItemFailure["kind"], ItemFailure>>;
  limit: number | null;
  /** These are checks: it is no error where all of them fail. */
  beside?: boolean;
}

export function telling(options: LabellingOptions): Telling {
  const example: Telling["example"] = {};
  return {
    ...options,
    example,
    limit: options.stopAfterFailures === undefined ? defaultStopAfterFailures : options.stopAfterFailures,
    onFailure(told) {
      const failure = { ...told, reason: withoutName(told.reason, told.file) };
      example[failure.kind] ??= failure;
      options.onFailure?.(failure);
    },
  };
}

/**
 * Has batches asked, some at a time. Where `work` throws `stop`, questions under way are cancelled: their answers would be as
 * useless. Any other error lets them end, since an answer that was paid for is stored.
 */
export async function askAll<T>(
  { teacher, concurrency, signal }: LabellingOptions,
  items: AsyncIterable<T>,
  work: (batch: T[], signal: AbortSignal) => Promise<LeafError | undefined>,
): Promise<void> {
  const controller = new AbortController();
  const both = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  let stop: LeafError | undefined;
  try {
    await forEachBounded(
      batchesOf(items, teacher.batchSize),
      concurrency ?? teacher.concurrency ?? 1,
      async (batch) => {
        const error = await work(batch, both);
        if (!error) return;
        stop ??= error;
        controller.abort();
        throw error;
      },
      signal,
    );
  } catch (error) {
    throw stop ?? error;
  }
}

/** Work on the store, which somebody else may hold: what was judged so far is worth waiting for. */
export function stored<T>({ store, signal, onNote }: LabellingOptions, work: () => T): Promise<T> {
  return whenFree(store.file, work, { signal, onNote });
}

/** As `chunksOf`, of items that have to be waited for. */
async function* batchesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Images and pairs are looked up in the store this many at a time, so that it is asked seldom. */
export const lookedUp = 1000;

/** The teacher's answers; whatever it throws once the signal is aborted counts as cancelled. */
export async function asked<T>(count: number, ask: () => Promise<T[]>, signal?: AbortSignal): Promise<T[]> {
  let answers: T[];
  try {
    answers = await ask();
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  }
  if (answers.length !== count)
    throw new LeafError("failed", say`The teacher gave ${answers.length} answers for ${count} questions.`);
  return answers;
}

/** Answers as they come: whether it is worth asking on, and worth asking again what failed in an earlier run. */
export interface Watch {
  tell(ok: boolean, retry: boolean): void;
  retriesFail(): boolean;
  /** Why to stop; undefined to go on. */
  verdict(example: ItemFailure | undefined): LeafError | undefined;
}

export async function watchAnswers(options: Telling, what: Judged): Promise<Watch> {
  const { store, teacher, limit, pauseAtFailures } = options;
  const kind = what === "images" ? "points" : "pairs";
  const latest = await stored(options, () => store.latest(teacher.fingerprint, kind, lastAnswers));
  const [first, again] = [firstAnswers(limit), firstAnswers(limit)];
  const rate = failureRate(pauseAtFailures, latest);
  return {
    tell(ok, retry) {
      // A good answer speaks for both.
      if (ok || retry) again.tell(ok);
      if (ok || !retry) for (const one of [first, rate]) one.tell(ok);
    },
    retriesFail: again.allFailed,
    verdict(example) {
      if (first.allFailed()) return stoppedEarly(what, limit!, example);
      const many = rate.tooMany();
      return many === undefined ? undefined : paused(what, many, example);
    },
  };
}
