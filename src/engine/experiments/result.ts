import path from "node:path";
import type { ArmResult, ExperimentResult, ReportedMetric } from "../../protocol/experiments.ts";
import { experimentResult } from "../../protocol/schema/experiments.ts";
import { tellDamagedFile } from "../base/damage.ts";
import { LeafError } from "../base/errors.ts";
import { writeJson } from "../base/files.ts";
import { inside } from "../base/ids.ts";
import { readJsonAs } from "../base/json.ts";
import { keyOf } from "../base/keys.ts";
import { redactConfig, redactValue } from "../base/redact.ts";
import { membersOf } from "../config/teacher.ts";
import { quantile } from "../metrics/bootstrap.ts";
import { flatSettings } from "../pipeline/runSummaries.ts";
import { paperFigures } from "../views/paperFigures.ts";
import type { OpenExperiment } from "./file.ts";
import { reportedMetrics } from "./schema.ts";
import { besideTarget } from "./target.ts";
import type { Trial } from "./trial.ts";

/** What is known after the trials so far: means over seeds, no tests yet. */
export async function summarise(open: OpenExperiment, trials: readonly Trial[]): Promise<ExperimentResult> {
  const { experiment, cells, name, file, base } = open;
  const [first] = trials;
  const target = first && besideTarget(experiment, first.project.config);
  const count = (state: string) => trials.filter(({ result }) => result.state === state).length;
  return {
    v: 1,
    name,
    file: path.basename(file),
    base: path.basename(base),
    key: experimentKey(open),
    updated: new Date().toISOString(),
    stage: experiment.stage,
    seeds: experiment.seeds,
    resplit: experiment.resplit,
    report: experiment.report,
    ...(experiment.summary && { summary: experiment.summary }),
    ...(target !== undefined && { target }),
    compare: experiment.compare ?? null,
    bootstrap: experiment.bootstrap,
    done: count("done"),
    failed: count("failed"),
    total: trials.length,
    arms: cells.map((cell): ArmResult => {
      const own = trials.filter((trial) => trial.cell === cell).map(({ result }) => result);
      const { label, distill, calibrate } = open.configOf(cell, experiment.seeds[0]!);
      const distils =
        cell.stage === "distill" || (cell.stage === "calibrate" && calibrate.from !== "backbone");
      const fitsConfidence = distils && label.minConfidence === "auto" && distill.loss.confidence;
      return {
        name: cell.name,
        settings: flatSettings(redactConfig(cell.overrides)),
        stage: cell.stage,
        trials: own,
        ratings: own.find(({ state }) => state === "done")?.ratings ?? null,
        ...(fitsConfidence && { fitsConfidence }),
        means: Object.fromEntries(
          reportedMetrics.map((metric) => [metric, meanOf(own, metric)]),
        ) as ArmResult["means"],
        ...(experiment.summary === "median" && {
          quartiles: Object.fromEntries(
            reportedMetrics.map((metric) => [metric, quartilesOf(own, metric)]),
          ) as ArmResult["quartiles"],
        }),
        versus: null,
      };
    }),
    teachers: [
      ...new Set(trials.flatMap(({ project }) => membersOf(project.config.teacher).map(({ kind }) => kind))),
    ],
    // Published figures are of the quality that the dataset is known for.
    paper:
      first && target === undefined ? await paperFigures(first.project.root, first.project.config) : null,
  };
}

/** The values of the evaluations that differ; none where one of them does not define the metric. */
function valuesOf(trials: ArmResult["trials"], metric: ReportedMetric): number[] {
  const distinct = new Map(trials.flatMap(({ key, metrics }) => (metrics ? [[key, metrics[metric]]] : [])));
  const values = [...distinct.values()];
  return values.some((value) => value === null) ? [] : (values as number[]);
}

/** First quartile, median and third quartile, interpolated as NumPy does; null without values. */
export function quartilesOf(
  trials: ArmResult["trials"],
  metric: ReportedMetric,
): [number, number, number] | null {
  const sorted = Float64Array.from(valuesOf(trials, metric)).sort();
  return sorted.length === 0 ? null : [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)];
}

/** Mean and sample standard deviation over the same. */
export function meanOf(
  trials: ArmResult["trials"],
  metric: ReportedMetric,
): { mean: number; sd: number | null; n: number } | null {
  const figures = valuesOf(trials, metric);
  if (figures.length === 0) return null;
  const n = figures.length;
  const mean = figures.reduce((sum, value) => sum + value, 0) / n;
  const variance = figures.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, sd: n > 1 ? Math.sqrt(variance) : null, n };
}

/** Another key says that the file or its base has changed since a result was written. */
export function experimentKey({ experiment, cells, configOf }: OpenExperiment): string {
  return keyOf(
    redactConfig({ experiment, configs: cells.map((cell) => configOf(cell, experiment.seeds[0]!)) }),
  );
}

export function resultFile(root: string, name: string): string {
  return path.join(inside(path.join(root, ".leaf"), "experiments", name), "result.json");
}

export async function saveResult(open: OpenExperiment, result: ExperimentResult): Promise<void> {
  await writeJson(resultFile(path.dirname(open.file), open.name), redactValue(result));
}

/** The last result of an experiment by its name and folder; undefined if it has not been run, or the file is damaged. */
export async function readResultFile(root: string, name: string): Promise<ExperimentResult | undefined> {
  try {
    return await readJsonAs<ExperimentResult>(resultFile(root, name), experimentResult);
  } catch (error) {
    if (!(error instanceof LeafError) || error.code !== "input") throw error;
    tellDamagedFile(`The result of ${name}`, error.message.replace(/\.$/, ""));
    return undefined;
  }
}
