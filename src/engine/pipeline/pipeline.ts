import type { CalibrateResult, DistillResult, EvaluateResult, LabelResult } from "../../protocol/results.ts";
import type { Project } from "../config/project.ts";
import { openCatalog } from "../dataset/catalog.ts";
import type { StageOptions } from "./stage.ts";
import { calibrateStage } from "./stages/calibrate.ts";
import { distillStage } from "./stages/distill.ts";
import { evaluateStage } from "./stages/evaluate.ts";
import { labelStage } from "./stages/label.ts";

export interface PipelineResult {
  label: LabelResult;
  distill: DistillResult;
  /** Without MOS there is nothing to calibrate or evaluate with. */
  calibrate?: CalibrateResult;
  evaluate?: EvaluateResult;
}

/** All stages in order; each does only what is not fresh. */
export async function runPipeline(project: Project, options: StageOptions = {}): Promise<PipelineResult> {
  // Files and rows that cannot be read are told by the first look.
  let catalog = await openCatalog(project, options);
  const now = () => ({ ...options, catalog });
  /** Work may have taken hours, in which files came and went. */
  let isOpen = true;
  const lookAgain = async () => {
    catalog.close();
    // Until it is open again: whoever cancels meanwhile must not be told of a database that is not.
    isOpen = false;
    catalog = await openCatalog(project, { ...options, filesTold: true });
    isOpen = true;
  };
  try {
    // What failed in a stage that is done is asked again by `leaf label` alone.
    const label = await labelStage(project, { ...now(), retryFailed: false });
    options.onStage?.("label", label);
    if (hasAsked(label)) await lookAgain();
    const distill = await distillStage(project, now());
    options.onStage?.("distill", distill);
    if (!project.config.mos) return { label, distill };
    if (!distill.reused) await lookAgain();
    const calibrate = await calibrateStage(project, now());
    options.onStage?.("calibrate", calibrate);
    if (!calibrate.reused) await lookAgain();
    const evaluate = await evaluateStudents(project, now());
    options.onStage?.("evaluate", evaluate);
    return { label, distill, calibrate, evaluate };
  } finally {
    if (isOpen) catalog.close();
  }
}

function hasAsked({ points, pairs, checks }: LabelResult): boolean {
  const asked = [points, pairs, checks?.points, checks?.pairs];
  return asked.some((some) => some && some.labelled + some.failed > 0);
}

/** Evaluates the calibrated student, and the distilled one it comes from, so that the two can be compared. */
export async function evaluateStudents(
  project: Project,
  options: StageOptions = {},
): Promise<EvaluateResult> {
  if (project.config.calibrate.from !== "backbone")
    await evaluateStage(project, { ...options, onWarning: undefined }, "distill", { transfer: false });
  return evaluateStage(project, options);
}
