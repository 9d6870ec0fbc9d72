import path from "node:path";
import type { FailureSummary } from "../../protocol/failures.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  LabelResult,
  RunRecord,
  StageState,
} from "../../protocol/results.ts";
import { LeafError } from "../base/errors.ts";
import { canonicalJson } from "../base/keys.ts";
import { redactConfig } from "../base/redact.ts";
import type { Config } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { type Catalog, openCatalog } from "../dataset/catalog.ts";
import type { DatasetSummary } from "../dataset/dataset.ts";
import { readFailures } from "../failures/list.ts";
import { stageActivity } from "./lock.ts";
import { lostOutput, unreadableRuns } from "./lost.ts";
import { listRuns } from "./runs.ts";
import {
  isFinished,
  type StageName,
  StageNotReady,
  type StageOptions,
  stageDir,
  stageNames,
} from "./stage.ts";
import { calibrateStage, planCalibration } from "./stages/calibrate.ts";
import { distillKey, distillStage } from "./stages/distill.ts";
import { evaluateStage, planEvaluation } from "./stages/evaluate.ts";
import { labelStage, labelState } from "./stages/label.ts";

export interface PipelineResult {
  label: LabelResult;
  distill: DistillResult;
  /** Without MOS there is nothing to calibrate or evaluate with. */
  calibrate?: CalibrateResult;
  evaluate?: EvaluateResult;
}

/** All stages in order; each does only what is not fresh. */
export async function runPipeline(project: Project, options: StageOptions = {}): Promise<PipelineResult> {
  // What failed in a stage that is done is asked again by `leaf label` alone.
  const label = await labelStage(project, { ...options, retryFailed: false });
  options.onStage?.("label", label);
  // Files and rows that cannot be read have been told by the first stage.
  const later = { ...options, filesTold: true };
  const distill = await distillStage(project, later);
  options.onStage?.("distill", distill);
  if (!project.config.mos) return { label, distill };
  const calibrate = await calibrateStage(project, later);
  options.onStage?.("calibrate", calibrate);
  const evaluate = await evaluateStudents(project, later);
  options.onStage?.("evaluate", evaluate);
  return { label, distill, calibrate, evaluate };
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

export interface StageStatus {
  stage: StageName;
  state: StageState;
  key: string | null;
  /** Why it is stale, failed or cannot run: "distill.epochs: 20 → 30". */
  why?: string;
  /** Images, pairs or rows that its last work left out, or that it failed for; absent where nothing failed. */
  failures?: FailureSummary;
}

/** The state of every stage for the config and the files as they are now. */
export async function pipelineStatus(
  project: Project,
  options: StageOptions = {},
): Promise<{ stages: StageStatus[]; problems: string[]; places?: DatasetSummary["places"] }> {
  const catalog = await openCatalog(project, { signal: options.signal, onProgress: options.onProgress });
  try {
    const { places } = catalog.summary;
    const unread = (places?.unreadable ?? 0) + (places?.name ?? 0);
    const problems = await unreadableRuns(project);
    if (unread > 0) {
      const what = unread === 1 ? "1 folder or name" : `${unread} folders or names`;
      problems.push(`${what} among the images cannot be read: \`leaf check\` lists them`);
    }
    return { stages: await stagesOf(project, catalog), problems, ...(places && { places }) };
  } finally {
    catalog.close();
  }
}

/** The same for a catalog that is open already. */
export async function stagesOf(project: Project, catalog: Catalog): Promise<StageStatus[]> {
  const runs = (await listRuns(project)).filter(
    (run) => run.configFile === path.basename(project.configFile),
  );
  const stages: StageStatus[] = [];
  let upstream: StageStatus | undefined;
  for (const stage of stageNames) {
    const status = await statusOf(project, catalog, stage, runs, upstream);
    stages.push(status);
    if (status.state !== "fresh") upstream ??= status;
  }
  return stages;
}

async function statusOf(
  project: Project,
  catalog: Catalog,
  stage: StageName,
  runs: RunRecord[],
  upstream?: StageStatus,
): Promise<StageStatus> {
  let key: string;
  try {
    key = await currentKey(project, catalog, stage);
  } catch (error) {
    if (error instanceof StageNotReady || (error instanceof LeafError && error.code === "config"))
      return { stage, state: "missing", key: null, why: error.message };
    // A damaged store tells of itself; the other stages still have a state.
    if (error instanceof LeafError && error.code === "failed")
      return { stage, state: "failed", key: null, why: error.message };
    throw error;
  }
  const { running, failure } = await stageActivity(project, stage, key);
  if (running) return { stage, state: "running", key };
  const failures = await readFailures(stageDir(project, stage, key));
  const failed = failures && { failures };
  if (isFinished(project, stage, key)) {
    const lost = await lostOutput(project, catalog, stage, key);
    if (lost) return { stage, key, ...lost, ...(failure && { state: "failed", why: failure }), ...failed };
    return upstream
      ? { stage, state: "stale", key, why: `${upstream.stage} is ${upstream.state}`, ...failed }
      : { stage, state: "fresh", key, ...failed };
  }
  if (failure) return { stage, state: "failed", key, why: failure, ...failed };
  const last = runs.findLast((run) => run.stages[stage]);
  if (!last) return { stage, state: "missing", key };
  const changes = changedKeys(redactConfig(last.config as Config), redactConfig(project.config)).filter(
    (change) => concerns(stage, change),
  );
  const why =
    changes.length > 0
      ? changes.slice(0, 3).join(", ")
      : upstream
        ? `${upstream.stage} is ${upstream.state}`
        : "the images, scores or labels changed";
  return { stage, state: "stale", key, why };
}

async function currentKey(project: Project, catalog: Catalog, stage: StageName): Promise<string> {
  switch (stage) {
    case "label":
      return (await labelState(project, catalog)).key;
    case "distill":
      return distillKey(project, catalog, await labelState(project, catalog));
    case "calibrate":
      return (await planCalibration(project, catalog)).key;
    case "evaluate":
      return (await planEvaluation(project, catalog, "calibrate")).key;
  }
}

/** Config sections that a stage's own work depends on. */
const sections: Record<StageName, string[]> = {
  label: ["images", "teacher", "label"],
  distill: ["split", "student", "distill", "label.minConfidence"],
  calibrate: ["mos", "split", "student", "calibrate"],
  evaluate: ["mos", "split", "evaluate"],
};

function concerns(stage: StageName, change: string): boolean {
  return sections[stage].some(
    (section) => change.startsWith(`${section}.`) || change.startsWith(`${section}:`),
  );
}

/** Differences of two configs, as "distill.epochs: 20 → 30". */
export function changedKeys(before: unknown, after: unknown, at: string[] = []): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changedKeys(before[key], after[key], [...at, key]));
  }
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  return [`${at.join(".")}: ${JSON.stringify(before) ?? "none"} → ${JSON.stringify(after) ?? "none"}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
