// helper-4: written by the lead and already used by src/engine/stages: keep the exported API, improve inside, write its tests. Remove this line.
import type { ProgressSink } from "../protocol/progress.ts";
import type { LabelResult } from "../protocol/results.ts";
import { throwIfCancelled } from "./errors.ts";
import { combineOrders, expectedScore, minRatingMass, pairConfidence, pointConfidence } from "./judgement.ts";
import type { LabelStore, PairRow, PointRow } from "./labels.ts";
import { type PairPlan, samplePairs } from "./pairs.ts";
import { forEachBounded } from "./pool.ts";
import type { PairPreference, PointJudgement, Teacher, TeacherImage } from "./teachers/teacher.ts";

export interface LabellingOptions {
  store: LabelStore;
  teacher: Teacher;
  /** All images, ordered by hash; may be walked several times. */
  images: () => Iterable<TeacherImage>;
  pairs: PairPlan;
  /** Pairs under it count as discarded; they are stored all the same. */
  minConfidence: number;
  /** Calls of the teacher under way at once. */
  concurrency?: number;
  signal?: AbortSignal;
  onProgress?: ProgressSink;
}

/** The pairs a plan asks for: among the images with a usable point-wise label, near ones by its score. */
export function pairsToLabel(
  store: LabelStore,
  teacher: string,
  hashes: Iterable<string>,
  plan: PairPlan,
): Iterable<[string, string]> {
  const scores = new Map<string, number>();
  for (const hash of hashes) {
    const label = store.point(teacher, hash);
    if (label) scores.set(hash, label.score);
  }
  return samplePairs(scores.keys(), plan, (hash) => scores.get(hash));
}

/**
 * Has the teacher judge all images, then the sampled pairs, skipping what the store holds. Every batch is stored at once, so
 * that a kill loses no more than the batches under way. An image or pair that fails is counted and asked again in the next run.
 */
export async function labelDataset(options: LabellingOptions): Promise<LabelResult> {
  const { store, teacher, images, signal, onProgress } = options;
  store.registerTeacher(teacher);
  const imageOf = new Map<string, TeacherImage>();
  for (const image of images()) imageOf.set(image.hash, image);
  const points = { labelled: 0, reused: 0, failed: 0 };
  const pairs = { labelled: 0, reused: 0, failed: 0, kept: 0, discarded: 0 };

  const report = (step: "points" | "pairs", done: number, total: number) =>
    onProgress?.({ stage: "label", step, done, total, unit: step === "points" ? "images" : "pairs" });

  const hashes = [...imageOf.keys()].sort();
  const missing = [...store.missingPoints(teacher.fingerprint, hashes)];
  points.reused = hashes.length - missing.length;
  report("points", points.reused, hashes.length);
  await forEachBounded(
    batches(missing, teacher.batchSize),
    options.concurrency ?? 1,
    async (batch) => {
      const judged = await teacher.judgePoints(
        batch.map((hash) => imageOf.get(hash)!),
        signal,
      );
      const rows = batch.map((hash, i) => pointRow(hash, judged[i]!));
      store.putPoints(teacher.fingerprint, rows);
      const ok = rows.filter((row) => row.ok).length;
      points.labelled += ok;
      points.failed += rows.length - ok;
      report("points", points.reused + points.labelled + points.failed, hashes.length);
    },
    signal,
  );

  const wanted = [...pairsToLabel(store, teacher.fingerprint, hashes, options.pairs)];
  // Pairs of one image together, so that a teacher's cache of it is still warm.
  const toAsk = [...store.missingPairs(teacher.fingerprint, wanted)].sort(([a, b], [c, d]) =>
    a < c ? -1 : a > c ? 1 : b < d ? -1 : 1,
  );
  pairs.reused = wanted.length - toAsk.length;
  report("pairs", pairs.reused, wanted.length);
  await forEachBounded(
    batches(toAsk, teacher.batchSize),
    options.concurrency ?? 1,
    async (batch) => {
      const judged = await teacher.judgePairs(
        batch.map(([a, b]) => [imageOf.get(a)!, imageOf.get(b)!]),
        signal,
      );
      const rows = batch.map((pair, i) => pairRow(pair, judged[i]!));
      store.putPairs(teacher.fingerprint, rows);
      const ok = rows.filter((row) => row.ok).length;
      pairs.labelled += ok;
      pairs.failed += rows.length - ok;
      report("pairs", pairs.reused + pairs.labelled + pairs.failed, wanted.length);
    },
    signal,
  );
  for (const [a, b] of wanted) {
    const label = store.pair(teacher.fingerprint, a, b);
    if (label) pairs[label.confidence >= options.minConfidence ? "kept" : "discarded"]++;
  }
  throwIfCancelled(signal);
  return { images: hashes.length, points, pairs };
}

function pointRow(image: string, judged: PointJudgement): PointRow {
  if (!judged.ok) return { image, ok: false, reason: judged.reason };
  const { probabilities, mass } = judged;
  if (mass < minRatingMass)
    return { image, ok: false, reason: `only ${mass.toFixed(2)} of the answer is on the rating words` };
  return {
    image,
    ok: true,
    score: expectedScore(probabilities),
    probabilities,
    mass,
    confidence: pointConfidence(probabilities),
  };
}

function pairRow([a, b]: [string, string], judged: PairPreference): PairRow {
  if (!judged.ok) return { a, b, ok: false, reason: judged.reason };
  const { pAB, pBA } = judged;
  const { p, positionBias } = combineOrders(pAB, pBA);
  return { a, b, ok: true, p, pAB, pBA, positionBias, confidence: pairConfidence(p) };
}

function* batches<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
