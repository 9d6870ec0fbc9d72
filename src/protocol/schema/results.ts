import * as z from "zod";
import type {
  Breakdown,
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  HumanCeiling,
  LabelResult,
  Metrics,
  RunRecord,
  TargetMetrics,
  Transfer,
  TransferCell,
} from "../results.ts";
import { stageNames } from "../results.ts";
import { count, figure, fileName, interval, key, runId, seconds, sentence, text, time } from "./common.ts";
import { failureSummary } from "./failures.ts";
import { headFacts } from "./head.ts";
import { targetName } from "./trainer.ts";

const stage = z.enum(["distill", "calibrate"]);

/** What an older LEAF did not write reads as nothing; what is of a wrong kind does not fit. */
const counted = count.default(0);
const measure = figure.default(null);
const halves = { labelled: counted, reused: counted, failed: counted };

const spent = z.looseObject({
  requests: count,
  inputTokens: count,
  outputTokens: count,
  cost: z.looseObject({ amount: z.number(), currency: text }).nullable(),
  prefix: z.looseObject({ cached: count, of: count }).optional(),
});
const labelled = {
  points: z.looseObject(halves).prefault({}),
  pairs: z.looseObject({ ...halves, kept: counted, discarded: counted }).prefault({}),
  spent: spent.optional(),
};

/** Other keys stay: what a newer LEAF adds is kept when a run is written again. */
export const labelResult = z.looseObject({
  failures: failureSummary.optional(),
  images: counted,
  ...labelled,
  targets: z
    .array(z.looseObject({ name: targetName, ...labelled }))
    .max(15)
    .optional(),
  reasons: z.looseObject(halves).optional(),
  checks: z
    .looseObject({ points: z.looseObject(halves).prefault({}), pairs: z.looseObject(halves).prefault({}) })
    .optional(),
  minConfidence: z.number().nullish(),
  positionBias: z
    .looseObject({
      pairs: count,
      first: z.number(),
      flipped: z.number(),
      logits: z.looseObject({ mean: z.number(), sd: z.number() }),
    })
    .nullish(),
}) satisfies z.ZodType<LabelResult>;

export const agreement = z.looseObject({ n: counted, srcc: measure, plcc: measure });

const run = z.union([runId, z.literal("")]).default("");
const trained = {
  run,
  student: text.default(""),
  durationS: seconds.default(0),
  reused: z.boolean().default(false),
};

/** Results of LEAF 0.1 have none. */
const keptEpoch = { keep: z.enum(["best", "last"]).optional(), epoch: count.optional() };

const agreements = {
  targets: z
    .array(z.looseObject({ ...agreement.shape, name: targetName }))
    .max(15)
    .optional(),
};

export const distillResult = z.looseObject({
  failures: failureSummary.optional(),
  ...trained,
  teacherAgreement: agreement.prefault({}),
  ...agreements,
  minConfidence: z.number().nullish(),
  temperature: z.number().optional(),
  ...keptEpoch,
}) satisfies z.ZodType<DistillResult>;

export const teacherCheck = z.looseObject({
  n: count,
  srcc: figure,
  ci95: interval.nullable(),
  verdict: z.enum(["useful", "unclear", "chance", "unknown"]),
});

/** What the stage decided; absent in results of former versions, which fine-tuned. */
const calibratedBy = {
  method: z.enum(["closed-form", "fine-tune"]).optional(),
  head: headFacts.loose().optional(),
  compared: z.looseObject({ folds: count, closedForm: figure, fineTuned: figure }).optional(),
};

export const calibrateResult = z.looseObject({
  failures: failureSummary.optional(),
  ...trained,
  images: counted,
  headOnly: z.boolean().default(false),
  from: z.enum(["distill", "backbone", "both"]).optional(),
  ...calibratedBy,
  teacherCheck: teacherCheck.optional(),
}) satisfies z.ZodType<CalibrateResult>;

const ends = interval.nullable().default(null);
const measured = {
  n: counted,
  srcc: measure,
  plcc: measure,
  plccLogistic: measure,
  krcc: measure,
  rmse: z.number().default(0),
  ci95: z.looseObject({ srcc: ends, plcc: ends }).prefault({}),
  groups: count.optional().catch(undefined),
};

export const metrics = z.looseObject(measured) satisfies z.ZodType<Metrics>;

export const transferCell = z.looseObject({
  ...measured,
  failed: counted,
  seen: counted,
  far: count.nullable().default(null),
}) satisfies z.ZodType<TransferCell>;

const transfer = z.looseObject({
  datasets: z.array(text),
  rows: z.array(z.looseObject({ student: stage, cells: z.array(transferCell.nullable()) })),
}) satisfies z.ZodType<Transfer>;

export const humanCeiling = z.looseObject({
  images: count,
  ratings: z.number(),
  alpha: figure,
  alphaCi95: interval.nullable(),
  splitHalf: z.number(),
  reliability: z.number(),
  srcc: z.number(),
  ci95: interval,
}) satisfies z.ZodType<HumanCeiling>;

const targetMetrics = z.looseObject({
  ...measured,
  name: targetName,
  range: z.tuple([z.number(), z.number()]),
  lowerIsBetter: z.boolean(),
  ceiling: humanCeiling.optional(),
}) satisfies z.ZodType<TargetMetrics>;

const evaluated = {
  ...measured,
  targets: z.array(targetMetrics).max(15).optional(),
  split: z.enum(["train", "val", "test"]).default("test"),
  student: stage.default("calibrate"),
  failed: counted,
};

/** b1 to b4 of the fit. */
const logistic = z.tuple([z.number(), z.number(), z.number(), z.number()]).nullish();

const finding = z.looseObject({
  code: z.enum([
    "nonlinear",
    "belowTeacher",
    "calibrationHurts",
    "overfitCalibration",
    "collapsed",
    "poorTransfer",
  ]),
  message: text,
  remedy: text,
  words: z.object({ message: sentence, remedy: sentence }).optional().catch(undefined),
});

const part = z.looseObject({
  name: text,
  n: count,
  srcc: figure,
  plcc: figure,
  rmse: z.number(),
  bias: z.number(),
});

const breakdown = z.looseObject({
  bands: z.array(part),
  groups: z
    .looseObject({
      count,
      srcc: z.tuple([z.number(), z.number(), z.number()]),
      lowest: z.array(part),
    })
    .optional(),
}) satisfies z.ZodType<Breakdown>;

export const evaluateResult = z.looseObject({
  failures: failureSummary.optional(),
  ...evaluated,
  run,
  logistic,
  findings: z.array(finding).optional(),
  transfer: transfer.optional(),
  ceiling: humanCeiling.optional(),
  breakdown: breakdown.optional(),
}) satisfies z.ZodType<EvaluateResult>;

/** What the stage was done with; absent in those of former versions. */
const inputs = z.record(z.string(), z.unknown()).optional();

/** `result.json` of each stage's folder: what the stage needs of its work when it is not done again. */
export const finished = {
  label: z.looseObject({
    ...labelResult.shape,
    inputs,
    teacher: text.default(""),
    chosen: text.optional(),
    checked: z.looseObject({ asked: text, store: text }).optional().catch(undefined),
  }),
  distill: z.looseObject({
    inputs,
    durationS: seconds.default(0),
    teacherAgreement: agreement.prefault({}),
    ...agreements,
    minConfidence: z.number().nullish(),
    ...keptEpoch,
  }),
  calibrate: z.looseObject({
    inputs,
    durationS: seconds.default(0),
    images: counted,
    headOnly: z.boolean().default(false),
    from: z.enum(["distill", "backbone", "both"]).optional(),
    ...calibratedBy,
  }),
  evaluate: z.looseObject({
    ...evaluated,
    inputs,
    logistic,
    seconds: seconds.default(0),
    spread: z.looseObject({ scores: z.number(), mos: z.number() }).optional(),
    calibration: z.looseObject({ n: count, rmse: z.number() }).nullish(),
  }),
} as const;

const entry = <T extends z.ZodType>(result: T) =>
  z.looseObject({ key, seconds: seconds.default(0), result }).optional();
const long = new Date(0).toISOString();

export const runRecord = z.looseObject({
  v: z.literal(1),
  id: runId,
  configFile: fileName,
  configHash: text.default(""),
  config: z.record(z.string(), z.unknown()).default({}),
  created: time.default(long),
  updated: time.default(long),
  state: z.enum(["running", "done", "failed", "cancelled"]).default("done"),
  reason: text.nullish(),
  reasonWords: sentence.nullish().catch(undefined),
  /** Its key is checked where it becomes a path: a forged one is a run that has ended. */
  working: z.looseObject({ stage: z.enum(stageNames), key: text }).nullish(),
  stages: z.looseObject({
    label: entry(labelResult.prefault({})),
    distill: entry(distillResult.prefault({})),
    calibrate: entry(calibrateResult.prefault({})),
    evaluate: entry(evaluateResult.prefault({})),
  }),
  distilledEvaluation: key.optional(),
  versions: z.record(z.string(), text).default({}),
  gitCommit: text.nullable().default(null),
  experiment: z.looseObject({ name: text, arm: text, seed: z.int() }).optional(),
}) satisfies z.ZodType<RunRecord>;
