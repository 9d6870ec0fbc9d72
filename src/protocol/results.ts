import type { ExperimentMark } from "./experiments.ts";
import type { Agreement } from "./trainer.ts";

/** What each stage reports: printed by `--json`, shown by the editor. */
export interface LabelResult {
  images: number;
  points: { labelled: number; reused: number; failed: number };
  pairs: { labelled: number; reused: number; failed: number; kept: number; discarded: number };
}

export interface DistillResult {
  run: string;
  student: string;
  durationS: number;
  reused: boolean;
  /** Student against teacher on validation images that neither trained on. */
  teacherAgreement: Agreement;
}

export interface CalibrateResult {
  run: string;
  student: string;
  /** Human scores that were used. */
  images: number;
  durationS: number;
  reused: boolean;
  headOnly: boolean;
}

export interface Metrics {
  n: number;
  srcc: number | null;
  /** Pearson correlation of raw scores. */
  plcc: number | null;
  /** Pearson correlation after the 4-parameter logistic fit. */
  plccLogistic: number | null;
  krcc: number | null;
  rmse: number;
  ci95: { srcc: [number, number] | null; plcc: [number, number] | null };
}

export interface EvaluateResult extends Metrics {
  run: string;
  split: "train" | "val" | "test";
  /** Which student was evaluated. */
  student: "distill" | "calibrate";
  /** Images of the split that could not be scored. */
  failed: number;
}

export type StageState = "fresh" | "stale" | "missing" | "running" | "failed";

/** `.leaf/runs/<id>/run.json`. */
export interface RunRecord {
  v: 1;
  id: string;
  configFile: string;
  configHash: string;
  config: unknown;
  created: string;
  updated: string;
  state: "running" | "done" | "failed" | "cancelled";
  stages: Partial<
    Record<"label" | "distill" | "calibrate" | "evaluate", { key: string; seconds: number; result: unknown }>
  >;
  /** Key of the distilled student's own evaluation, to compare the calibrated one with. */
  distilledEvaluation?: string;
  versions: Record<string, string>;
  gitCommit: string | null;
  /** Where an experiment made it. */
  experiment?: ExperimentMark;
}
