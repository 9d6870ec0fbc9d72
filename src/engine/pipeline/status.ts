import path from "node:path";
import type { FailureSummary } from "../../protocol/failures.ts";
import type { StageReason } from "../../protocol/project.ts";
import type { RunRecord, StageName, StageState } from "../../protocol/results.ts";
import { stageNames } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { LeafError } from "../base/errors.ts";
import { redactConfig } from "../base/redact.ts";
import type { Config } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import type { Catalog } from "../dataset/catalog.ts";
import type { DatasetSummary } from "../dataset/dataset.ts";
import { readFailures } from "../failures/list.ts";
import { stageChanges } from "./changes.ts";
import { runsOf } from "./currentStudent.ts";
import { stageActivity } from "./lock.ts";
import { lostOutput } from "./lost.ts";
import { NoHumanScores } from "./plan/calibrate.ts";
import { stagePlan, withPlan } from "./plan/plan.ts";
import type { Plan, StagePlan } from "./plan/types.ts";
import { readRuns } from "./runs.ts";
import { isFinished, readResult, StageNotReady, type StageOptions, stageDir, withCatalog } from "./stage.ts";

export interface StageStatus {
  stage: StageName;
  state: StageState;
  key: string | null;
  /** Why it is stale, failed or cannot run. */
  reason?: StageReason;
  /** Images, pairs or rows that its last work left out, or that it failed for; absent where nothing failed. */
  failures?: FailureSummary;
}

/** The state of every stage for the config and the files as they are now. */
export async function pipelineStatus(
  project: Project,
  { signal, onProgress }: StageOptions = {},
): Promise<{ stages: StageStatus[]; problems: string[]; places?: DatasetSummary["places"] }> {
  return withCatalog(project, { signal, onProgress }, async (catalog) => {
    const { places } = catalog.summary;
    const unread = (places?.unreadable ?? 0) + (places?.name ?? 0);
    const { runs, unreadable, missing } = await readRuns(project);
    const problems = [...unreadable, ...missing]
      .sort()
      .map(
        (file) =>
          `the run ${path.basename(path.dirname(file))} is passed over: ${file} is missing or cannot be read`,
      );
    if (unread > 0) {
      const what = unread === 1 ? "1 folder or name" : `${unread} folders or names`;
      problems.push(`${what} among the images cannot be read: \`leaf check\` lists them`);
    }
    return { stages: await stagesOf(project, catalog, runs), problems, ...(places && { places }) };
  });
}

/** The same for a catalog that is open, and runs that are read, already. */
export function stagesOf(
  project: Project,
  catalog: Catalog,
  runs: readonly RunRecord[],
): Promise<StageStatus[]> {
  return withPlan(project, catalog, (plan) => statuses(plan, runs));
}

/** The same for a plan. */
export async function statuses(plan: Plan, runs: readonly RunRecord[]): Promise<StageStatus[]> {
  const own = runsOf(plan.project, runs);
  const stages: StageStatus[] = [];
  let upstream: StageStatus | undefined;
  for (const stage of stageNames) {
    const status = await statusOf(plan, stage, own, upstream);
    stages.push(status);
    if (status.state !== "fresh") upstream ??= status;
  }
  return stages;
}

async function statusOf(
  plan: Plan,
  stage: StageName,
  runs: readonly RunRecord[],
  upstream?: StageStatus,
): Promise<StageStatus> {
  const { project } = plan;
  let planned: StagePlan;
  try {
    planned = await stagePlan(plan, stage);
  } catch (error) {
    return { stage, key: null, ...notPlanned(error) };
  }
  const { key } = planned;
  const { running, failure } = await stageActivity(project, stage, key);
  if (running) return { stage, state: "running", key };
  const failures = await readFailures(stageDir(project, stage, key));
  const failed = failures && { failures };
  const broken = failure ? { state: "failed" as const, reason: failureReason(failure) } : undefined;
  if (isFinished(project, stage, key)) {
    const lost = await lostOutput(plan, stage, key);
    if (lost) return { stage, key, ...lost, ...broken, ...failed };
    return upstream
      ? { stage, state: "stale", key, reason: upstreamReason(upstream), ...failed }
      : { stage, state: "fresh", key, ...failed };
  }
  if (broken) return { stage, key, ...broken, ...failed };
  const last = runs.find((run) => run.stages[stage]);
  if (!last) return { stage, state: "missing", key };
  return { stage, state: "stale", key, reason: await staleReason(plan, planned, last, upstream) };
}

function notPlanned(error: unknown): Pick<StageStatus, "state" | "reason"> {
  if (!(error instanceof LeafError)) throw error;
  const { code } = error;
  const { message } = error.words;
  if (error instanceof NoHumanScores) return { state: "missing", reason: { kind: "noHumanScores", message } };
  if (error instanceof StageNotReady || code === "config")
    return { state: "missing", reason: { kind: "blocked", message } };
  // A damaged store tells of itself; the other stages still have a state.
  if (code === "failed") return { state: "failed", reason: failureReason(message) };
  throw error;
}

/** Against the last time that this stage was done for this config. */
async function staleReason(
  { project, catalog }: Plan,
  { stage, inputs }: StagePlan,
  last: RunRecord,
  upstream?: StageStatus,
): Promise<StageReason> {
  const done = await readResult(project, stage, last.stages[stage]!.key);
  if (!done?.inputs) return upstream ? upstreamReason(upstream) : { kind: "unknown" };
  const configs: [unknown, unknown] = [
    redactConfig(last.config as Config),
    redactConfig(comparable(project.config, last.config as Config, catalog)),
  ];
  const { changes, upstream: other } = stageChanges(
    stage,
    [done.inputs, inputs],
    configs,
    upstream !== undefined,
  );
  if (changes.length === 0 && other && upstream) return upstreamReason(upstream);
  return changes.length > 0 ? { kind: "changed", changes } : { kind: "unknown" };
}

/** `split.similar` that keeps no twins together changes nothing: it is told as it was. */
function comparable(config: Config, last: Config, { keptTogether }: Catalog): Config {
  if (config.split.similar === null || (keptTogether && keptTogether.families.length > 0)) return config;
  return { ...config, split: { ...config.split, similar: last.split?.similar ?? null } };
}

function upstreamReason({ stage, state }: StageStatus): StageReason {
  return { kind: "upstream", stage, state };
}

function failureReason(message: Text): StageReason {
  return { kind: "failed", message };
}
