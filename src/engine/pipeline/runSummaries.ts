import { createReadStream, existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import * as z from "zod";
import type { RunSummary } from "../../protocol/project.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  RunRecord,
  StageName,
} from "../../protocol/results.ts";
import { runId } from "../../protocol/schema/common.ts";
import { storedMetrics } from "../../protocol/schema/trainer.ts";
import type { CurvePoint, RunCurves } from "../../protocol/server.ts";
import type { TrainerMessage } from "../../protocol/trainer.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { ensureDir, writeJson } from "../base/files.ts";
import { fileUri } from "../base/fileUri.ts";
import { parseAs, readJsonAs } from "../base/json.ts";
import type { Project } from "../config/project.ts";
import { configChanges } from "./changes.ts";
import { reasonOf } from "./runState.ts";
import { listRuns, runDir } from "./runs.ts";
import { stageDir } from "./stage.ts";

/** Runs of all configs beside this one, newest first; changes are against the run before of the same config, evaluated where there is one. */
export async function summariseRuns(project: Project, runs: readonly RunRecord[]): Promise<RunSummary[]> {
  const pinned = await readPins(project);
  const before = new Map<string, RunRecord>();
  const summaries = runs.map((run): RunSummary => {
    const last = before.get(run.configFile);
    // One that came to nothing is compared with only while there is no other.
    if (!last?.stages.evaluate || run.stages.evaluate) before.set(run.configFile, run);
    const calibrated = resultOf<CalibrateResult>(run, "calibrate");
    const evaluated = resultOf<EvaluateResult>(run, "evaluate");
    return {
      id: run.id,
      config: fileUri(path.join(project.root, run.configFile)),
      state: run.state,
      reason: reasonOf(run),
      created: run.created,
      updated: run.updated,
      pinned: pinned.has(run.id),
      previous: last?.id ?? null,
      changes: last ? changesBetween(last, run) : [],
      ratings: calibrated?.images ?? null,
      agreement: resultOf<DistillResult>(run, "distill")?.teacherAgreement ?? null,
      evaluation: evaluated ? { ...evaluated, run: run.id } : null,
      seconds: Object.values(run.stages).reduce((sum, stage) => sum + (stage?.seconds ?? 0), 0),
      gitCommit: run.gitCommit,
      settings: settingsOf(run),
      ...(run.experiment ? { experiment: run.experiment } : {}),
    };
  });
  return summaries.reverse();
}

/** Configs of runs are kept while their files are as they were: what follows from them is worked out once. */
const settings = new WeakMap<object, Record<string, string>>();
const changes = new WeakMap<object, { before: unknown; changes: RunSummary["changes"] }>();

function settingsOf({ config }: RunRecord): Record<string, string> {
  if (typeof config !== "object" || config === null) return flatSettings(config);
  const known = settings.get(config) ?? flatSettings(config);
  settings.set(config, known);
  return known;
}

function changesBetween({ config: before }: RunRecord, { config }: RunRecord): RunSummary["changes"] {
  if (typeof config !== "object" || config === null) return configChanges(before, config);
  const had = changes.get(config);
  const known = had && had.before === before ? had : { before, changes: configChanges(before, config) };
  changes.set(config, known);
  return known.changes;
}

/** The run with this id. Throws LeafError `input` if there is none. */
export async function findRun(project: Project, id: string): Promise<RunRecord> {
  const run = (await listRuns(project)).find((one) => one.id === id);
  if (run) return run;
  throw new LeafError("input", say`There is no run ${id}.`, {
    remedy: say`Choose one that \`leaf runs\` lists.`,
  });
}

const pinsSchema = z.looseObject({ v: z.literal(1), runs: z.array(runId) });
type Pins = { v: 1; runs: string[] };

const pinsFile = (project: Project) => path.join(project.leaf, "pins.json");

async function readPins(project: Project): Promise<Set<string>> {
  const pins = await readJsonAs(pinsFile(project), pinsSchema);
  return new Set(pins?.runs);
}

/** Pinned runs stay on top of the runs views; what is pinned lies in `.leaf/pins.json`. */
export async function pinRun(project: Project, id: string, pinned: boolean): Promise<void> {
  await findRun(project, id);
  const pins = await readPins(project);
  if (pinned) pins.add(id);
  else pins.delete(id);
  await ensureDir(project.leaf);
  const kept: Pins = { v: 1, runs: [...pins].filter((one) => existsSync(runDir(project, one))) };
  await writeJson(pinsFile(project), kept);
}

/** Loss and agreement of every epoch, as the trainer wrote them; a run shares the curves of the stages that it stands on. */
export async function runCurves(project: Project, id: string): Promise<RunCurves> {
  const run = await findRun(project, id);
  const curve = async (stage: "distill" | "calibrate") => {
    const key = run.stages[stage]?.key;
    return key ? readCurve(path.join(stageDir(project, stage, key), "metrics.jsonl")) : [];
  };
  return { distill: await curve("distill"), calibrate: await curve("calibrate") };
}

type Metrics = Extract<TrainerMessage, { type: "metrics" }>;

/** The last line of an epoch covers all of it; those before are of windows of steps. */
async function readCurve(file: string): Promise<CurvePoint[]> {
  if (!existsSync(file)) return [];
  const points = new Map<number, CurvePoint>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const metrics = parseMetrics(line);
    if (!metrics) continue;
    const { epoch, loss, parts, val } = metrics;
    points.set(epoch, { epoch, loss, parts, srcc: val?.srcc ?? null, plcc: val?.plcc ?? null });
  }
  return [...points.values()].sort((a, b) => a.epoch - b.epoch);
}

function parseMetrics(line: string): Metrics | undefined {
  // The half line of a process that was killed is none.
  const read = parseAs<Metrics>(line, storedMetrics);
  return read.ok ? read.value : undefined;
}

/** The resolved config of a run as YAML that is valid as a `leaf.yaml`. */
export async function runConfigText(project: Project, id: string): Promise<string> {
  const run = await findRun(project, id);
  const about = `# Config of run ${run.id}, ${run.created.slice(0, 16).replace("T", " ")} UTC, with all defaults.\n`;
  return about + stringify(run.config, { lineWidth: 110 });
}

/** Nested settings under their full names: "distill.epochs" → "20". Lists stay whole. */
export function flatSettings(config: unknown, at: string[] = []): Record<string, string> {
  if (config !== null && typeof config === "object" && !Array.isArray(config))
    return Object.assign(
      {},
      ...Object.entries(config).map(([key, value]) => flatSettings(value, [...at, key])),
    );
  return { [at.join(".")]: typeof config === "string" ? config : (JSON.stringify(config) ?? "") };
}

function resultOf<T>(run: RunRecord, stage: StageName): T | undefined {
  return run.stages[stage]?.result as T | undefined;
}
