import type { MinConfidence } from "../../protocol/reliability.ts";
import { LeafError } from "../base/errors.ts";
import { defaultMinConfidence } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { chooseCalibrationSubset } from "../dataset/calibrationSubset.ts";
import type { Catalog } from "../dataset/catalog.ts";
import { openLabels } from "../labels/labels.ts";
import { mosToStudent } from "../mos/scale.ts";
import { decisiveDifference, judgedPairs } from "./judged.ts";
import { chooseMinConfidence } from "./minConfidence.ts";

/**
 * The number that `label.minConfidence: auto` stands for: from pairs of the calibration images alone, whose MOS are spent anyhow.
 * These are the random ones (the config refuses other selections, which wait for the distilled student). 0.1 where they cannot tell.
 */
export function autoMinConfidence(project: Project, catalog: Catalog, teacher: string): number {
  return suggestMinConfidence(project, catalog, teacher).value ?? defaultMinConfidence;
}

function suggestMinConfidence(project: Project, catalog: Catalog, teacher: string): MinConfidence {
  const { mos, calibrate } = project.config;
  if (!mos) return { value: null, n: 0, why: "there are no human scores" };
  const rated = catalog.hashes.filter((hash) => catalog.splitOf(hash) === "train" && catalog.mos.has(hash));
  const chosen = chooseCalibrationSubset(rated, calibrate.ratio, calibrate.seed);
  const truth = new Map(chosen.map((hash) => [hash, mosToStudent(catalog.mos.get(hash)!, mos)]));
  try {
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      const { confidence, right } = judgedPairs(store, teacher, truth, decisiveDifference);
      return chooseMinConfidence(confidence, right);
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof LeafError)) throw error;
    return { value: null, n: 0, why: "there are no labels yet" };
  }
}
