import * as z from "zod";
import { digestLines } from "../../base/keys.ts";
import { defaultMinConfidence } from "../../config/config.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { type LeastConfidence, leastConfidence } from "../../labels/counting.ts";
import { mosToStudent } from "../../mos/scale.ts";
import { decisiveDifference, judgedPairs } from "../../reliability/judged.ts";
import { chooseMinConfidence } from "../../reliability/minConfidence.ts";
import { fitted } from "./fitted.ts";
import type { Plan } from "./types.ts";

/** The least confidence with which pairs count. */
export async function plannedMinConfidence(plan: Plan): Promise<LeastConfidence> {
  const { config } = plan.project;
  const fits = config.label.minConfidence === "auto" && config.distill.loss.confidence;
  return leastConfidence(config, fits ? await fittedMinConfidence(plan) : defaultMinConfidence);
}

/**
 * The number that `label.minConfidence: auto` stands for: from pairs of the calibration images alone, whose MOS are spent anyhow.
 * These are the random ones (the config refuses other selections, which wait for the distilled student). 0.1 where they cannot tell.
 */
async function fittedMinConfidence(plan: Plan): Promise<number> {
  const { mos, calibrate } = plan.project.config;
  const store = plan.labels();
  if (!mos || !store) return defaultMinConfidence;
  const chosen = chooseCalibrationSubset(ratedIn(plan.catalog, "train"), calibrate.ratio, calibrate.seed);
  const truth = new Map(chosen.map((hash) => [hash, mosToStudent(plan.catalog.mos.get(hash)!, mos)]));
  const teacher = await plan.teacher();
  const { confidence, right } = judgedPairs(store, teacher, truth, decisiveDifference);
  const rows = digestLines(Array.from(confidence, (one, i) => `${one} ${right[i]}`));
  const value = await fitted(
    plan,
    "minConfidence",
    { rows },
    z.number().nullable(),
    () => chooseMinConfidence(confidence, right).value,
  );
  return value ?? defaultMinConfidence;
}

/** Images of a split that have a MOS. */
export function ratedIn(catalog: Catalog, split: "train" | "val" | "test"): string[] {
  return catalog.hashes.filter((hash) => catalog.mos.has(hash) && catalog.splitOf(hash) === split);
}
