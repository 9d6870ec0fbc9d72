import type { LabelResult } from "../../protocol/results.ts";
import { throwIfCancelled } from "../base/errors.ts";
import type { LabelStore } from "../labels/labels.ts";
import { ownPairsOf } from "../labels/teacherAnswers.ts";
import type { TeacherImage } from "../teachers/teacher.ts";
import { type Answers, adaptiveRounds } from "./adaptivePairs.ts";
import { type LabellingOptions, stored, type Telling, telling } from "./asking.ts";
import { labelPairs } from "./labelPairs.ts";
import { labelPoints } from "./labelPoints.ts";
import { labelReasons } from "./labelReasons.ts";
import { type PairPlan, samplePairs } from "./pairs.ts";
import { allRounds, oneRound, type PairRounds } from "./rounds.ts";

/**
 * The pairs a plan asks for, by the teacher's own scores and answers: a person's may change at any time, and would change what has to be
 * asked. An image without a usable label is in it too; labelling passes over its pairs.
 */
export function pairsToLabel(
  store: LabelStore,
  teacher: string,
  hashes: Iterable<string>,
  plan: PairPlan,
): Iterable<[string, string]> {
  return plan.strategy === "adaptive"
    ? allRounds(adaptiveRounds(hashes, plan, answersOf(store, teacher)))
    : drawnPairs(store, teacher, hashes, plan);
}

function drawnPairs(
  store: LabelStore,
  teacher: string,
  hashes: Iterable<string>,
  plan: PairPlan,
): Iterable<[string, string]> {
  if (plan.strategy === "random") return samplePairs(hashes, plan);
  const scores = store.ownScores(teacher);
  return samplePairs(hashes, plan, (hash) => scores.get(hash));
}

/** The same in rounds that wait for the answers to those before. */
function roundsToLabel(
  store: LabelStore,
  teacher: string,
  hashes: Iterable<string>,
  plan: PairPlan,
): PairRounds {
  if (plan.strategy === "adaptive") return adaptiveRounds(hashes, plan, answersOf(store, teacher));
  return oneRound(() => drawnPairs(store, teacher, hashes, plan));
}

function answersOf(store: LabelStore, teacher: string): Answers {
  return (pairs) => {
    const found = new Map(Array.from(ownPairsOf(store, teacher, pairs), ({ a, b, p }) => [`${a} ${b}`, p]));
    return pairs.map((pair) => found.get(pair.join(" ")) ?? Number.NaN);
  };
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
  const rounds = () => roundsToLabel(store, options.leader ?? teacher.fingerprint, all(), options.pairs);
  const points = only === "pairs" ? none : await labelPoints(told, images, count);
  const pairs =
    only === "points" ? { ...none, kept: 0, discarded: 0 } : await labelPairs(told, rounds, imageOf);
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
  const compared = asked.pairs ? await labelPairs(beside, () => oneRound(() => pairs), imageOf) : none;
  const { labelled, reused, failed } = compared;
  return { points, pairs: { labelled, reused, failed } };
}
