import type { FailureSummary } from "./failures.ts";
import type { HeadFacts } from "./head.ts";
import type { Text } from "./text.ts";
import type { Agreement } from "./trainer.ts";

/** What each stage reports: printed by `--json`, shown by the editor. */
export interface LabelResult {
  images: number;
  points: { labelled: number; reused: number; failed: number };
  pairs: { labelled: number; reused: number; failed: number; kept: number; discarded: number };
  /** Points and pairs asked for by name, that nothing learns from; absent without any, and in those of former versions. */
  checks?: Record<"points" | "pairs", { labelled: number; reused: number; failed: number }>;
  /** Only where they were asked for. */
  reasons?: { labelled: number; reused: number; failed: number };
  /** The confidence from which pairs were `kept`; null: all were. Absent in those of former versions. */
  minConfidence?: number | null;
  /** How much the place in the question mattered; null without pairs that were asked in both orders. */
  positionBias?: PositionBias | null;
  /** What the server was asked and what that took; absent where no requests are counted, as with a local teacher. */
  spent?: Spent;
  /** Of the targets beside the main one that the teacher has a question for, by their own labels; absent without any. */
  targets?: (Pick<LabelResult, "points" | "pairs" | "spent"> & { name: string })[];
  /** Absent where nothing failed. */
  failures?: FailureSummary;
}

export interface Spent {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** null without `teacher.price`. */
  cost: { amount: number; currency: string } | null;
  /** Input tokens that the server had read before, of those that it tells this of; absent where it tells nothing. */
  prefix?: { cached: number; of: number };
}

/** As it is told later: `discarded` is not known where another confidence decides by now. */
export type ToldLabels = Omit<LabelResult, "pairs"> & {
  pairs: Omit<LabelResult["pairs"], "discarded"> & { discarded: number | undefined };
};

/** Over all of a teacher's own pairs that were asked in both orders. */
export interface PositionBias {
  pairs: number;
  /** Mean probability of the image that came first; 0.5 without bias. */
  first: number;
  /** Share of pairs whose winner changes with the order. */
  flipped: number;
  /** Of logit P(a better | a first) − logit P(a better | b first), over pairs; above 0 the first place is favoured. */
  logits: { mean: number; sd: number };
}

export interface DistillResult {
  run: string;
  student: string;
  durationS: number;
  reused: boolean;
  /** Student against teacher on validation images that neither trained on. */
  teacherAgreement: Agreement;
  /** The same of the targets beside the main one that it has labels of; absent without any. */
  targets?: (Agreement & { name: string })[];
  /** The confidence from which pairs counted; `auto` decides. Null: all did. */
  minConfidence?: number | null;
  /** T of the pair-wise loss; absent in those of former versions. */
  temperature?: number;
  /** By which rule an epoch became the student, and which one; `distill.keep: auto` decides by the number of val images. */
  keep?: "best" | "last";
  epoch?: number;
  /** Absent where nothing failed. */
  failures?: FailureSummary;
}

export interface CalibrateResult {
  run: string;
  student: string;
  /** Human scores that were used. */
  images: number;
  durationS: number;
  reused: boolean;
  headOnly: boolean;
  /** What it started from; `calibrate.from: auto` decides. */
  from?: "distill" | "backbone" | "both";
  /** How; absent in results of former versions, which fine-tuned. */
  method?: "closed-form" | "fine-tune";
  /** What the closed form came to, where it was fitted. */
  head?: HeadFacts;
  /** Of `calibrate.method: best`: mean SRCC of both over folds of the ratings that they had not seen. */
  compared?: { folds: number; closedForm: number | null; fineTuned: number | null };
  teacherCheck?: TeacherCheck;
  /** Absent where nothing failed. */
  failures?: FailureSummary;
}

/** The teacher's own scores against the MOS of the calibration images, before its student is trusted. */
export interface TeacherCheck {
  /** Calibration images that the teacher scored. */
  n: number;
  srcc: number | null;
  ci95: [number, number] | null;
  /**
   * `useful`: the interval lies clearly above 0; else `unclear` where SRCC itself is fair, `chance` where it is not, and
   * `unknown` for fewer than 10 images or constant MOS.
   */
  verdict: "useful" | "unclear" | "chance" | "unknown";
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
  /** Groups of images that the intervals were drawn by; absent where it was images. */
  groups?: number;
}

/** A student on a dataset that it never saw. */
export interface TransferCell extends Metrics {
  /** Images that could not be scored. */
  failed: number;
  /** Rated images that this project trained or validated on; left out. */
  seen: number;
  /** Images unlike those the student was distilled on; null where it cannot tell. */
  far: number | null;
}

/** Students (rows) on other datasets (columns); null where a dataset holds too few images to compare. */
export interface Transfer {
  datasets: string[];
  rows: { student: "distill" | "calibrate"; cells: (TransferCell | null)[] }[];
}

/** Of a target beside the main one, on its own scale. */
export interface TargetMetrics extends Metrics {
  name: string;
  range: [number, number];
  lowerIsBetter: boolean;
  ceiling?: HumanCeiling;
}

export interface EvaluateResult extends Metrics {
  run: string;
  split: "train" | "val" | "test";
  /** Which student was evaluated. */
  student: "distill" | "calibrate";
  /** Images of the split that could not be scored. */
  failed: number;
  /** Known ways to fail that the figures point at, each with its remedy. */
  findings?: Finding[];
  /** Of the targets beside the main one; absent where there are none. */
  targets?: TargetMetrics[];
  /** Where `evaluate.datasets` names other datasets. */
  transfer?: Transfer;
  /** How far people agree on these images; absent where single ratings are not known. */
  ceiling?: HumanCeiling;
  /** The same figures for parts of the images. */
  breakdown?: Breakdown;
  /** Absent where nothing failed. */
  failures?: FailureSummary;
}

/** Figures of some of the images. */
export interface Part {
  name: string;
  n: number;
  srcc: number | null;
  plcc: number | null;
  rmse: number;
  /** Score minus MOS, on average. */
  bias: number;
}

export interface Breakdown {
  /** By the grade of the MOS, from excellent to bad; those that have images. */
  bands: Part[];
  /** SRCC within groups of `split.groupBy` of five images and more; absent where there are none. */
  groups?: {
    count: number;
    /** First quartile, median, third quartile over groups. */
    srcc: [number, number, number];
    /** Those of the lowest SRCC, at most twelve. */
    lowest: Part[];
  };
}

/** How far somebody who has rated the same images twice agrees with themselves. In the unit of the ratings. */
export interface Retest {
  rater: string;
  /** Images that were rated twice. */
  images: number;
  /** Of second with first ratings; null where it is not defined: fewer than 3 images, or all ratings the same. */
  srcc: number | null;
  /** Second minus first, on average. */
  meanDifference: number;
  /**
   * Standard deviation of a single rating around the rater's own mean: √(Σ d² / 2n), from the differences d (Bland and Altman,
   * Measurement error, BMJ 1996).
   */
  sd: number;
}

/** How far people agree with each other, and so how far a model can agree with their mean. */
export interface HumanCeiling {
  /** Images with two ratings or more. */
  images: number;
  /** Ratings an image, on average. */
  ratings: number;
  /** Krippendorff's alpha for interval data, with its 95 % interval. */
  alpha: number | null;
  alphaCi95: [number, number] | null;
  /** SRCC of the means of two halves of the raters. */
  splitHalf: number;
  /** Of the mean of all ratings, by Spearman and Brown. */
  reliability: number;
  /** The SRCC with the MOS that a model would reach which knows the true quality, with its 95 % interval. */
  srcc: number;
  ci95: [number, number];
}

export interface Finding {
  code:
    | "nonlinear"
    | "belowTeacher"
    | "calibrationHurts"
    | "overfitCalibration"
    | "collapsed"
    | "poorTransfer";
  /** One sentence with the figures. */
  message: string;
  /** One imperative sentence. */
  remedy: string;
  /** Both as data, for a language other than English; absent in those of former versions. */
  words?: { message: Text; remedy: Text };
}

/** What the findings are drawn from; of one student on its held-out images, in the unit of the MOS. */
export interface EvaluationFacts {
  student: "distill" | "calibrate";
  n: number;
  srcc: number | null;
  plcc: number | null;
  rmse: number;
  /** Standard deviations of the student's scores and of the MOS. */
  spread: { scores: number; mos: number };
  /** Width of the MOS scale. */
  range: number;
  /** SRCC of the teacher, and of the distilled student before it was calibrated, on the same images. */
  teacherSrcc: number | null;
  distilledSrcc: number | null;
  /** Error on the images that it was calibrated with. */
  calibration: { n: number; rmse: number } | null;
  /** The same student on other data. */
  elsewhere?: { dataset: string; n: number; srcc: number | null }[];
}

/** The stages of the pipeline, in order. */
export const stageNames = ["label", "distill", "calibrate", "evaluate"] as const;
export type StageName = (typeof stageNames)[number];

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
  /** Why it failed or was cancelled, in a sentence. */
  reason?: string | null;
  /** The same as data, for a language other than English; absent in those of former versions. */
  reasonWords?: Text | null;
  /** The stage that is worked on while it runs: its lock says whether somebody still does. */
  working?: { stage: StageName; key: string } | null;
  stages: Partial<Record<StageName, { key: string; seconds: number; result: unknown }>>;
  /** Key of the distilled student's own evaluation, to compare the calibrated one with. */
  distilledEvaluation?: string;
  versions: Record<string, string>;
  gitCommit: string | null;
  /** Where an experiment made it. */
  experiment?: ExperimentMark;
}

/** Marks a run as made by an experiment. */
export interface ExperimentMark {
  name: string;
  arm: string;
  seed: number;
}
