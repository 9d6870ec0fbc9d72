import type { LabelResult } from "../../../protocol/results.ts";
import { keyOf } from "../../base/keys.ts";
import { seededOrder } from "../../base/seededRank.ts";
import type { Config } from "../../config/config.ts";
import type { Project } from "../../config/project.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import { pairsToLabel } from "../../labelling/labelling.ts";
import { type PairPlan, samplePairs } from "../../labelling/pairs.ts";
import type { LabelStore } from "../../labels/labels.ts";
import { ratedIn } from "./minConfidence.ts";
import type { LabelNeeds, LabelPlan, Plan } from "./types.ts";

/** Who judges which images in which pairs: needs no label store. What is asked beside that is no input: no training reads it. */
export async function planLabel(plan: Plan): Promise<LabelPlan> {
  const { pairsPerImage, pairs, seed, orders } = plan.project.config.label;
  const { hashes, splitOf, digestOf } = plan.catalog;
  const judges = await plan.judges();
  const { fingerprint: teacher, members, ensemble } = judges;
  const [train, val] = (["train", "val"] as const).map((split) =>
    hashes.filter((hash) => splitOf(hash) === split),
  ) as [string[], string[]];
  const asked: { name: string; labels: string }[] = [];
  for (const { name, plan: own } of plan.asked()) asked.push({ name, labels: (await own.label()).key });
  const inputs = {
    // What each says is one thing, what it has to say another.
    teacher: ensemble ? keyOf(members.map(({ fingerprint }) => fingerprint)) : teacher,
    ...(ensemble && {
      weights: ensemble.weights.all.map((one) => Math.round(100 * one) / 100),
      folds: keyOf(ensemble.weights),
    }),
    images: digestOf([...train, ...val.map((hash) => `${hash} val`)]),
    pairsPerImage,
    pairs,
    seed,
    ...(orders === "one" && { orders }),
    ...(asked.length > 0 && { targets: asked }),
  };
  const key = keyOf(inputs);
  const checks = checksOf(plan);
  // Before there are human scores the teacher's is the only one that an image of the test split can have.
  const unscored = plan.project.config.mos ? [] : hashes.filter((hash) => splitOf(hash) === "test");
  return {
    stage: "label",
    inputs,
    key,
    keys: { label: key },
    teacher,
    judges,
    needs: { train, val, unscored, checks },
  };
}

/** The pairs that a student learns from, in the order they are asked. */
export function sampledPairs(
  { config }: Project,
  { needs, judges }: LabelPlan,
  store: LabelStore,
): Iterable<[string, string]> {
  return pairsToLabel(store, judges.members[0]!.fingerprint, needs.train, pairPlan(config));
}

export function pairPlan({ label: { pairsPerImage, pairs, seed } }: Config): PairPlan {
  return { perImage: pairsPerImage, strategy: pairs, seed };
}

/** Images that get a point in any case, ordered by hash. */
export function judgedImages({ train, val, unscored }: LabelNeeds): string[] {
  return [...train, ...val, ...unscored].sort();
}

/** Labels that exist of those that are learnt from: a retry of failed ones changes it. */
export function usableLabels({ points, pairs }: LabelResult): number {
  return points.labelled + points.reused + pairs.labelled + pairs.reused;
}

/** Pairs that one purpose gets: enough to tell, and few beside those that are learnt from. */
const mostChecked = 300;

/**
 * What is asked by name, beside what is learnt from: points of the rated images that `evaluate` compares teacher and student on; pairs of
 * the calibration images, to which `label.minConfidence: auto` is fitted; pairs of the rated images in the splits of `label.check`.
 */
function checksOf({ project, catalog }: Plan): LabelNeeds["checks"] {
  const { mos, evaluate, label, distill, calibrate } = project.config;
  if (!mos) return { images: [], pairs: [] };
  const compared: string[][] = label.check.map((split) => ratedIn(catalog, split));
  const images = new Set([
    ...(evaluate.split === "test" ? ratedIn(catalog, "test") : []),
    ...compared.flat(),
  ]);
  if (label.minConfidence === "auto" && distill.loss.confidence)
    compared.push(chooseCalibrationSubset(ratedIn(catalog, "train"), calibrate.ratio, calibrate.seed));
  const pairs = new Map(
    compared.flatMap((some) => checkPairs(some, label.seed)).map((pair) => [pair.join(" "), pair]),
  );
  return { images: [...images].sort(), pairs: [...pairs.values()] };
}

/** At most 300 pairs, spread over as many of the images as that takes. */
export function checkPairs(images: readonly string[], seed: number): [string, string][] {
  const some = seededOrder(seed, "check", images).slice(0, 2 * mostChecked);
  const perImage = Math.ceil((2 * mostChecked) / Math.max(1, some.length));
  return [...samplePairs(some, { perImage, strategy: "random", seed })].slice(0, mostChecked);
}
