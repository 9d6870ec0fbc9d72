import type { Metrics } from "./results.ts";
import type { Text } from "./text.ts";

export type ReportedMetric = "srcc" | "plcc" | "plccLogistic" | "krcc" | "rmse";

/** `.leaf/experiments/<name>/result.json`, written after every training and once more at the end. */
export interface ExperimentResult {
  v: 1;
  name: string;
  /** The file's name, beside the base config. */
  file: string;
  base: string;
  /** Digest of the rows, seeds and configs: another one says that the file has changed since. */
  key: string;
  updated: string;
  stage: "teacher" | "distill" | "calibrate";
  seeds: number[];
  resplit: boolean;
  report: ReportedMetric[];
  /** How seeds are summed up; absent: by their mean. */
  summary?: "mean" | "median";
  /** The target beside the main one that all figures are of. */
  target?: string;
  compare: string | null;
  /** Resamples of the paired tests. */
  bootstrap: number;
  /** Trials (rows times seeds) that ended well, failed, and all. */
  done: number;
  failed: number;
  total: number;
  arms: ArmResult[];
  /** Published figures, where the dataset is one of the paper's. */
  /** Kinds of the teachers; absent in those of former versions. */
  teachers?: string[];
  paper: { dataset: string; rows: { name: string; srcc: number; plcc: number }[] } | null;
}

/** One row of the table. */
export interface ArmResult {
  name: string;
  /** What it changes in the base config: "distill.loss.pair" → "0". */
  settings: Record<string, string>;
  stage: "teacher" | "distill" | "calibrate";
  trials: TrialResult[];
  /** Human scores that calibrated it; null while unknown. */
  ratings: number | null;
  /** `label.minConfidence: auto`: one number of its distillation is fitted on the MOS of calibration images. */
  fitsConfidence?: boolean;
  /** Over the seeds that are done. `sd` is that of the sample; null for one value, or where seeds change nothing. */
  means: Record<ReportedMetric, { mean: number; sd: number | null; n: number } | null>;
  /** First quartile, median and third quartile over the same, where the experiment's summary is the median. */
  quartiles?: Record<ReportedMetric, [number, number, number] | null>;
  /** Null for the baseline and where there is none, or before the end. */
  versus: { baseline: string; tests: Partial<Record<ReportedMetric, ArmTest | null>> } | null;
}

export interface ArmTest {
  /** This row's metric minus the baseline's. */
  difference: number;
  interval: [low: number, high: number];
  p: number;
  /** Corrected over the rows of the table (Holm). */
  pHolm: number;
}

export interface TrialResult {
  seed: number;
  state: "done" | "failed" | "missing";
  /** Why it failed; older results have it in English alone. */
  reason: Text | string | null;
  run: string | null;
  /** Who was evaluated in the end: the distilled student for `calibrate.ratio: 0`. */
  evaluated: "teacher" | "distill" | "calibrate" | null;
  /** Key of the evaluation; equal for seeds that change nothing. */
  key: string | null;
  ratings: number | null;
  metrics: Metrics | null;
}

/** How far an experiment is. */
export interface ExperimentStanding {
  name: string;
  rows: number;
  done: number;
  failed: number;
  total: number;
  /** The file or its base changed since the last result. */
  stale: boolean;
  /** Why it cannot run. */
  invalid: string | null;
  /** When a training of it was last recorded; null before the first. */
  updated: string | null;
}

export interface ExperimentSummary extends ExperimentStanding {
  /** URI of its file. */
  experiment: string;
}

export type ExperimentFormat = "markdown" | "latex" | "csv";
