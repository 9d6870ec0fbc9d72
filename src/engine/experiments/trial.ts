import type { TrialResult } from "../../protocol/experiments.ts";
import type { StageName } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { keyOf } from "../base/keys.ts";
import { type Project, projectOf } from "../config/project.ts";
import { type Catalog, openCatalog } from "../dataset/catalog.ts";
import { withPlan } from "../pipeline/plan/plan.ts";
import type { LabelPlan, Plan } from "../pipeline/plan/types.ts";
import { recordStage, runFor } from "../pipeline/runs.ts";
import { finishedResult, isFinished, readResult, type StageOptions } from "../pipeline/stage.ts";
import { calibrateStage } from "../pipeline/stages/calibrate.ts";
import { distillStage } from "../pipeline/stages/distill.ts";
import { evaluateStage } from "../pipeline/stages/evaluate.ts";
import { labelStage } from "../pipeline/stages/label.ts";
import type { Cell } from "./expand.ts";
import type { OpenExperiment } from "./file.ts";
import { teacherEvaluation } from "./predictions.ts";
import { figuresOf } from "./target.ts";

/** One row under one seed. */
export interface Trial {
  cell: Cell;
  seed: number;
  /** The row's config as if it were written in the experiment file; it shares `.leaf/` with the base. */
  project: Project;
  result: TrialResult;
}

/** The stage that a trial needs next; equal keys are one piece of work for all trials that need it. */
export interface Step {
  stage: StageName;
  key: string;
  run(options: StageOptions): Promise<unknown>;
}

/** All trials, the first seed of every row before the second of any. */
export function trialsOf({ name, file, experiment, cells, configOf }: OpenExperiment): Trial[] {
  return experiment.seeds.flatMap((seed) =>
    cells.map(
      (cell): Trial => ({
        cell,
        seed,
        project: {
          ...projectOf(file, configOf(cell, seed)),
          experiment: { name, arm: cell.name, seed },
        },
        result: {
          seed,
          state: "missing",
          reason: null,
          run: null,
          evaluated: null,
          key: null,
          ratings: null,
          metrics: null,
        },
      }),
    ),
  );
}

/** Whose scores are compared in the end. Without MOS a calibration changes nothing: the distilled student's. */
export function evaluatedBy({ cell, project }: Trial): "teacher" | "distill" | "calibrate" {
  const { ratio, from } = project.config.calibrate;
  return cell.stage === "calibrate" && ratio === 0 && from !== "backbone" ? "distill" : cell.stage;
}

/** What is missing for the trial's evaluation, the first of it; undefined when nothing is. Throws a LeafError for what cannot be. */
export function nextStep(trial: Trial, catalog: Catalog): Promise<Step | undefined> {
  const { project } = trial;
  const evaluated = evaluatedBy(trial);
  return withPlan(project, catalog, async (plan) => {
    const { from, selection } = project.config.calibrate;
    if (evaluated !== "calibrate" || from !== "backbone" || selection !== "random") {
      const label = await plan.label();
      const { key, needs } = label;
      if (!isFinished(project, "label", key) || neverAsked(plan, label))
        return {
          stage: "label",
          key: keyOf({ key, checks: needs.checks }),
          run: (options) => labelStage(project, options),
        };
      if (evaluated === "teacher") return undefined;
      const distill = await plan.distill();
      if (!isFinished(project, "distill", distill.key))
        return { stage: "distill", key: distill.key, run: (options) => distillStage(project, options) };
    }
    if (evaluated === "calibrate") {
      const { key } = await plan.calibrate({ trustIndex: true });
      if (!isFinished(project, "calibrate", key))
        return { stage: "calibrate", key, run: (options) => calibrateStage(project, options) };
    }
    const { key } = await plan.evaluate(evaluated as Exclude<typeof evaluated, "teacher">);
    if (isFinished(project, "evaluate", key)) return undefined;
    return { stage: "evaluate", key, run: (options) => evaluateStage(project, options, evaluated) };
  });
}

/** Whether the teacher was never asked about some of what is asked for by name; what failed is not asked again. */
function neverAsked(plan: Plan, { teacher, needs: { checks } }: LabelPlan): boolean {
  const store = plan.labels();
  if (!store) return true;
  const failedImages = new Set(Array.from(store.failedPoints(teacher), ({ image }) => image));
  for (const image of store.missingPoints(teacher, checks.images)) if (!failedImages.has(image)) return true;
  const failed = new Set(Array.from(store.failedPairs(teacher), ({ a, b }) => `${a},${b}`));
  for (const pair of store.missingPairs(teacher, checks.pairs, plan.project.config.label.orders))
    if (!failed.has(String(pair)) && !pair.some((image) => failedImages.has(image))) return true;
  return false;
}

/** Reads the finished trial's figures (of a target beside the main one, where it is named) into its result, and lets its run stand on all the stages that it shares. */
export async function finishTrial(
  trial: Trial,
  catalog: Catalog,
  target: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { project, result } = trial;
  const evaluated = evaluatedBy(trial);
  if (evaluated === "teacher") {
    const { metrics, key } = await teacherEvaluation(project, catalog);
    Object.assign(result, { state: "done", evaluated, key, ratings: 0, metrics });
    return;
  }
  const plan = await withPlan(project, catalog, (all) => all.evaluate(evaluated));
  const evaluation = await readResult(project, "evaluate", plan.key);
  if (!evaluation)
    throw new LeafError("failed", say`The evaluation is gone.`, { remedy: say`Run it again.` });
  const run = await recordStages(project, plan.keys, plan.key, evaluated, signal);
  const calibration = plan.keys.calibrate;
  const calibrated = calibration ? await readResult(project, "calibrate", calibration) : undefined;
  const { figures } = figuresOf(evaluation, target);
  const { n, srcc, plcc, plccLogistic, krcc, rmse, ci95, groups } = figures;
  Object.assign(result, {
    state: "done",
    reason: null,
    run,
    evaluated,
    key: plan.key,
    ratings: calibrated?.images ?? 0,
    metrics: { n, srcc, plcc, plccLogistic, krcc, rmse, ci95, ...(groups !== undefined && { groups }) },
  } satisfies Partial<TrialResult>);
}

/** Stages that another trial did are recorded in this one's run too, which `leaf clean` goes by. Returns the run's id. */
async function recordStages(
  project: Project,
  keys: Partial<Record<StageName, string>>,
  evaluation: string,
  evaluated: "distill" | "calibrate",
  signal?: AbortSignal,
): Promise<string> {
  const options: StageOptions = { signal, trustIndex: true };
  let run = await runFor(project, keys);
  if (keys.label && run.stages.label?.key !== keys.label) {
    const { teacher: _, inputs: __, ...result } = await finishedResult(project, "label", keys.label);
    await recordStage(project, run, "label", { key: keys.label, seconds: 0, result });
  }
  if (keys.distill && run.stages.distill?.key !== keys.distill) await distillStage(project, options);
  if (keys.calibrate && run.stages.calibrate?.key !== keys.calibrate) await calibrateStage(project, options);
  const had = evaluated === "distill" ? run.distilledEvaluation : run.stages.evaluate?.key;
  if (had !== evaluation) await evaluateStage(project, options, evaluated);
  run = await runFor(project, keys);
  return run.id;
}

/** Opens catalogs one at a time: trials that share images, scores and split share one. The index is read anew once for each images. */
export function catalogs(options: StageOptions) {
  let open: { key: string; catalog: Catalog } | undefined;
  const indexed = new Set<string>();
  return {
    async of({ project }: Trial): Promise<Catalog> {
      const { images, maxMegapixels, mos, split } = project.config;
      const key = keyOf({ images, maxMegapixels, mos: mos ?? null, split });
      if (open?.key === key) return open.catalog;
      open?.catalog.close();
      open = undefined;
      const place = `${project.indexFile} ${maxMegapixels}`;
      const known = indexed.has(place);
      const catalog = await openCatalog(project, {
        signal: options.signal,
        onProgress: options.onProgress,
        onWarning: known ? undefined : options.onWarning,
        trustIndex: known,
      });
      indexed.add(place);
      open = { key, catalog };
      return catalog;
    },
    close: () => open?.catalog.close(),
  };
}
