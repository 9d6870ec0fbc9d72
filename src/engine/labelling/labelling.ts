import type { ItemFailure } from "../../protocol/failures.ts";
import type { ProgressSink } from "../../protocol/progress.ts";
import type { LabelResult } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { figure } from "../../words/figure.ts";
import { marked, say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { forEachBounded } from "../base/pool.ts";
import { chunksOf } from "../base/sqlite.ts";
import { whenFree } from "../base/whenFree.ts";
import { defaultStopAfterFailures } from "../config/config.ts";
import { withoutName } from "../failures/words.ts";
import type { LeastConfidence } from "../labels/counting.ts";
import type { LabelStore, PairRow, PointRow } from "../labels/labels.ts";
import {
  combineOrders,
  expectedScore,
  minRatingMass,
  pairConfidence,
  pointConfidence,
} from "../teachers/judgement.ts";
import type { Orders, PairPreference, PointJudgement, Teacher, TeacherImage } from "../teachers/teacher.ts";
import { failureRate, firstAnswers, lastAnswers, noneJudged, paused, stoppedEarly } from "./firstAnswers.ts";
import { type PairPlan, samplePairs } from "./pairs.ts";

export interface LabellingOptions {
  store: LabelStore;
  teacher: Teacher;
  /** Images that get a point, ordered by hash; walked several times. */
  images: () => Iterable<TeacherImage>;
  /** Any image; without it they are all kept in memory for the pairs. */
  imageOf?: (hash: string) => TeacherImage;
  pairs: PairPlan;
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

/**
 * The pairs a plan asks for, near ones by the teacher's own scores: a person's scores may change at any time, and would
 * change what has to be asked. An image without a usable label is in it too; labelling passes over its pairs.
 */
export function pairsToLabel(
  store: LabelStore,
  teacher: string,
  hashes: Iterable<string>,
  plan: PairPlan,
): Iterable<[string, string]> {
  if (plan.strategy === "random") return samplePairs(hashes, plan);
  const scores = store.ownScores(teacher);
  return samplePairs(hashes, plan, (hash) => scores.get(hash));
}

/**
 * Has the teacher judge all images, then the sampled pairs, skipping what the store holds. Every batch is stored at once, so
 * that a kill loses no more than the batches under way. An image or pair that fails is told and asked again in the next run,
 * until as many of those in a row failed as `stopAfterFailures`; a pair of an image that failed is counted as failed and not
 * asked. Throws LeafError `failed` where nothing could be judged.
 */
export async function labelDataset(options: LabellingOptions): Promise<LabelResult> {
  const { store, teacher, images } = options;
  throwIfCancelled(options.signal);
  await stored(options, () => store.registerTeacher(teacher));
  let count = 0;
  const kept = new Map<string, TeacherImage>();
  for (const image of images()) {
    count++;
    if (!options.imageOf) kept.set(image.hash, image);
  }
  const imageOf = options.imageOf ?? ((hash: string) => kept.get(hash)!);
  const told = telling(options);
  const { only, checks } = options;
  const all = (): Iterable<string> => options.paired?.() ?? Array.from(images(), ({ hash }) => hash);
  const drawn = () => pairsToLabel(store, teacher.fingerprint, all(), options.pairs);
  const points = only === "pairs" ? none : await labelPoints(told, images, count);
  const pairs =
    only === "points" ? { ...none, kept: 0, discarded: 0 } : await labelPairs(told, drawn, imageOf);
  const checked = checks && (await labelChecks(told, checks, imageOf));
  const reasons = options.reasons && only !== "pairs" ? await labelReasons(told, count) : undefined;
  throwIfCancelled(options.signal);
  return { images: count, points, pairs, ...(checked && { checks: checked }), ...(reasons && { reasons }) };
}

const none = { labelled: 0, reused: 0, failed: 0 };

/** Undefined where there is nothing to check. */
async function labelChecks(
  options: Telling,
  { images, pairs }: NonNullable<LabellingOptions["checks"]>,
  imageOf: (hash: string) => TeacherImage,
): Promise<LabelResult["checks"]> {
  const asked = {
    images: options.only !== "pairs" && images.length > 0,
    pairs: options.only !== "points" && pairs.length > 0,
  };
  if (!asked.images && !asked.pairs) return undefined;
  const beside: Telling = { ...options, limit: null, beside: true };
  const points = asked.images
    ? await labelPoints(beside, () => images.values().map(imageOf), images.length)
    : none;
  const compared = asked.pairs ? await labelPairs(beside, () => pairs, imageOf) : none;
  const { labelled, reused, failed } = compared;
  return { points, pairs: { labelled, reused, failed } };
}

interface Telling extends LabellingOptions {
  onFailure: (failure: ItemFailure) => void;
  /** A failure of each kind, for the sentence that ends a run. */
  example: Partial<Record<ItemFailure["kind"], ItemFailure>>;
  limit: number | null;
  /** These are checks: it is no error where all of them fail. */
  beside?: boolean;
}

function telling(options: LabellingOptions): Telling {
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
async function askAll<T>(
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
function stored<T>({ store, signal, onNote }: LabellingOptions, work: () => T): Promise<T> {
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
const lookedUp = 1000;

async function labelPoints(
  options: Telling,
  images: () => Iterable<TeacherImage>,
  total: number,
): Promise<LabelResult["points"]> {
  const { store, teacher, limit } = options;
  const counts = { labelled: 0, reused: 0, failed: 0 };
  const report = () => {
    const done = counts.labelled + counts.reused + counts.failed;
    options.onProgress?.({ stage: "label", step: "points", done, total, unit: "images" });
  };
  const before = new Map<string, string>();
  const known = await stored(options, () => store.counts(teacher.fingerprint, 0).points);
  // Without any label yet, what failed shows no less than what was never asked that nothing works.
  const earlier =
    known.ok > 0 ? await stored(options, () => [...store.failedPoints(teacher.fingerprint)]) : [];
  for (const { image, reason } of earlier) before.set(image, reason);
  const [first, again] = [firstAnswers(limit), firstAnswers(limit)];
  const rate = failureRate(
    options.pauseAtFailures,
    await stored(options, () => store.latest(teacher.fingerprint, "points", lastAnswers)),
  );
  const passedOver = (hash: string) =>
    before.has(hash) && (options.retryFailed === false || again.allFailed());
  const failed = ({ name }: TeacherImage, reason: string) => {
    counts.failed++;
    options.onFailure({ kind: "point", file: name, reason });
  };
  async function* missing(): AsyncGenerator<TeacherImage> {
    for (const some of chunksOf(images(), lookedUp)) {
      const hashes = some.map((image) => image.hash);
      const wanted = await stored(options, () => new Set(store.missingPoints(teacher.fingerprint, hashes)));
      counts.reused += some.length - wanted.size;
      report();
      for (const image of some) {
        if (!wanted.has(image.hash)) continue;
        if (passedOver(image.hash)) {
          failed(image, before.get(image.hash)!);
          report();
        } else yield image;
      }
    }
  }
  await askAll(options, missing(), async (batch, signal) => {
    const judged = await asked(batch.length, () => teacher.judgePoints(batch, signal), signal);
    const rows = batch.map((image, i) => pointRow(image.hash, judged[i]!));
    await stored(options, () => store.putPoints(teacher.fingerprint, rows));
    for (const [i, row] of rows.entries()) {
      if (row.ok) counts.labelled++;
      else failed(batch[i]!, row.reason);
      if (row.ok || !before.has(row.image)) first.tell(row.ok);
      if (row.ok || before.has(row.image)) again.tell(row.ok);
      if (row.ok || !before.has(row.image)) rate.tell(row.ok);
    }
    report();
    if (first.allFailed()) return stoppedEarly("images", limit!, options.example.point);
    const many = rate.tooMany();
    return many === undefined ? undefined : paused("images", many, options.example.point);
  });
  if (counts.failed > 0 && counts.labelled + counts.reused === 0 && !options.beside)
    throw noneJudged("images", counts.failed, options.example.point);
  return counts;
}

/** A teacher without words gives no reasons; one that fails is asked again in the next run. */
async function labelReasons(options: Telling, total: number): Promise<LabelResult["reasons"]> {
  const { store, teacher } = options;
  const counts = { labelled: 0, reused: 0, failed: 0 };
  const explain = teacher.explain?.bind(teacher);
  if (!explain) return counts;
  const report = () => {
    const done = counts.labelled + counts.reused + counts.failed;
    options.onProgress?.({ stage: "label", step: "reasons", done, total, unit: "images" });
  };
  const first = firstAnswers(options.limit);
  async function* missing(): AsyncGenerator<TeacherImage> {
    for (const some of chunksOf(options.images(), lookedUp)) {
      const hashes = some.map((image) => image.hash);
      const scoreless = await stored(
        options,
        () => new Set(store.missingPoints(teacher.fingerprint, hashes)),
      );
      const wanted = await stored(options, () => new Set(store.missingReasons(teacher.fingerprint, hashes)));
      for (const image of some) {
        if (scoreless.has(image.hash)) counts.failed++;
        else if (!wanted.has(image.hash)) counts.reused++;
        else if (first.allFailed()) failed(image, `not asked: the first ${counts.failed} had no answer`);
        else yield image;
      }
      report();
    }
  }
  const failed = ({ name }: TeacherImage, reason: string) => {
    counts.failed++;
    options.onFailure({ kind: "reason", file: name, reason });
  };
  await askAll(options, missing(), async (batch, signal) => {
    const given = await asked(batch.length, () => explain(batch, signal), signal);
    const rows: { image: string; text: string }[] = [];
    for (const [i, image] of batch.entries()) {
      const reason = given[i]!;
      first.tell(reason.ok);
      if (reason.ok) rows.push({ image: image.hash, text: reason.text });
      else failed(image, reason.reason);
    }
    await stored(options, () => store.putReasons(teacher.fingerprint, rows));
    counts.labelled += rows.length;
    report();
    // A reason is no label: without any, the labels are as good.
    return undefined;
  });
  return counts;
}

async function labelPairs(
  options: Telling,
  pairs: () => Iterable<[string, string]>,
  imageOf: (hash: string) => TeacherImage,
): Promise<LabelResult["pairs"]> {
  const { store, teacher, signal, minConfidence, limit, orders = "both" } = options;
  const counts = { labelled: 0, reused: 0, failed: 0, kept: 0, discarded: 0 };
  const failedImages = new Map<string, string>();
  const failedBefore = await stored(options, () => [...store.failedPoints(teacher.fingerprint)]);
  for (const { image, reason } of failedBefore) failedImages.set(image, reason);
  // Where images are asked too, those that failed have been told.
  if (options.only === "pairs" && !options.beside)
    for (const { hash, name } of options.images())
      if (failedImages.has(hash))
        options.onFailure({ kind: "point", file: name, reason: failedImages.get(hash)! });
  const before = new Map<string, string>();
  const known = await stored(options, () => store.counts(teacher.fingerprint, 0).pairs);
  const earlier =
    known.ok > 0 ? await stored(options, () => [...store.failedPairs(teacher.fingerprint)]) : [];
  for (const { a, b, reason } of earlier) before.set(`${a} ${b}`, reason);
  const [first, again] = [firstAnswers(limit), firstAnswers(limit)];
  const rate = failureRate(
    options.pauseAtFailures,
    await stored(options, () => store.latest(teacher.fingerprint, "pairs", lastAnswers)),
  );
  const isRetry = ([a, b]: [string, string]) => before.has(`${a} ${b}`);
  const sampled = () => stored(options, pairs);
  // Drawing again is cheaper than keeping millions of pairs, or than progress without an end.
  let total = 0;
  for (const _ of await sampled()) if (total++ % 10_000 === 0) throwIfCancelled(signal);
  const report = () => {
    const done = counts.labelled + counts.reused + counts.failed;
    options.onProgress?.({ stage: "label", step: "pairs", done, total, unit: "pairs" });
  };
  const weigh = (weight: number) => counts[weight > 0 ? "kept" : "discarded"]++;
  let inVain = 0;
  const failed = ([a, b]: [string, string], reason: string) => {
    counts.failed++;
    inVain++;
    options.onFailure({ kind: "pair", file: imageOf(a).name, other: imageOf(b).name, reason });
  };

  async function* missing(): AsyncGenerator<[string, string]> {
    for (const some of chunksOf(await sampled(), lookedUp)) {
      const weights = await stored(options, () =>
        store.pairWeights(teacher.fingerprint, some, orders, minConfidence),
      );
      for (const [i, pair] of some.entries()) {
        const weight = weights[i];
        if (weight !== undefined) {
          counts.reused++;
          weigh(weight);
        } else if (failedImages.has(pair[0]) || failedImages.has(pair[1])) counts.failed++;
        else if (isRetry(pair) && (options.retryFailed === false || again.allFailed()))
          failed(pair, before.get(pair.join(" "))!);
        else yield pair;
      }
      report();
    }
  }
  await askAll(options, missing(), async (batch, signal) => {
    const asking = batch.map(([a, b]) => [imageOf(a), imageOf(b)] as [TeacherImage, TeacherImage]);
    const judged = await asked(batch.length, () => teacher.judgePairs(asking, signal, orders), signal);
    const rows = batch.map((pair, i) => pairRow(pair, judged[i]!));
    const weights = await stored(options, () => {
      store.putPairs(teacher.fingerprint, rows);
      return store.pairWeights(teacher.fingerprint, batch, "one", minConfidence);
    });
    for (const [i, row] of rows.entries()) {
      const retry = isRetry(batch[i]!);
      if (row.ok) {
        counts.labelled++;
        weigh(weights[i] ?? 0);
      } else failed(batch[i]!, row.reason);
      if (row.ok || !retry) first.tell(row.ok);
      if (row.ok || retry) again.tell(row.ok);
      if (row.ok || !retry) rate.tell(row.ok);
    }
    report();
    if (first.allFailed()) return stoppedEarly("pairs", limit!, options.example.pair);
    const many = rate.tooMany();
    return many === undefined ? undefined : paused("pairs", many, options.example.pair);
  });
  if (inVain > 0 && counts.labelled + counts.reused === 0 && !options.beside)
    throw noneJudged("pairs", inVain, options.example.pair);
  return counts;
}

/** The teacher's answers; whatever it throws once the signal is aborted counts as cancelled. */
async function asked<T>(count: number, ask: () => Promise<T[]>, signal?: AbortSignal): Promise<T[]> {
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

function isProbability(p: number): boolean {
  return p >= 0 && p <= 1;
}

function pointRow(image: string, judged: PointJudgement): PointRow {
  if (!judged.ok) return { image, ok: false, reason: judged.reason };
  const { probabilities, mass, samples } = judged;
  const sum = probabilities.reduce((total, p) => total + p, 0);
  if (!probabilities.every(isProbability) || Math.abs(sum - 1) > 1e-3)
    return { image, ok: false, reason: marked("the teacher's probabilities do not sum to 1") };
  if (!(mass >= minRatingMass))
    return { image, ok: false, reason: `only ${figure(mass, 2)} of the answer is on the rating words` };
  const [score, confidence] = [expectedScore(probabilities), pointConfidence(probabilities)];
  return { image, ok: true, score, probabilities, mass, confidence, samples };
}

function pairRow([a, b]: [string, string], judged: PairPreference): PairRow {
  if (!judged.ok) return { a, b, ok: false, reason: judged.reason };
  const { pAB, pBA, samples } = judged;
  if (!isProbability(pAB) || !(pBA === null || isProbability(pBA)))
    return { a, b, ok: false, reason: marked("the teacher's preference is not a probability") };
  if (pBA === null)
    return { a, b, ok: true, p: pAB, pAB, pBA, positionBias: null, confidence: pairConfidence(pAB), samples };
  const { p, positionBias } = combineOrders(pAB, pBA);
  return { a, b, ok: true, p, pAB, pBA, positionBias, confidence: pairConfidence(p), samples };
}
