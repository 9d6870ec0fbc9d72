import * as z from "zod";
import { count, figure, filled, seconds, text } from "./common.ts";

// The job file and the trainer's messages. Python's side is written from here: `npm run contract`, into src/python/leaf/contract.

const v = z.literal(1);
const atLeast0 = z.number().min(0);
const share = z.number().min(0).max(1);
const trainedSize = (most: number) => z.int().min(1).max(most);

export const phase = z.enum(["load", "train", "validate", "export"]);
export const errorCode = z.enum(["nan", "oom", "input", "environment", "failed"]);

/** Null where it is not defined. */
export const agreement = z.object({ n: count, srcc: figure, plcc: figure, rmse: figure.optional() });

/**
 * The `distance` output is the Mahalanobis distance of an image's features from those of the training images (covariance shrunk as
 * by Ledoit and Wolf); above `threshold`, the `quantile` of `heldOut` images that it was not trained on, an image is far.
 */
export const domainFacts = z.object({
  threshold: z.number().positive(),
  quantile: share,
  /** Images that mean and covariance are of. */
  fitted: count,
  heldOut: count,
  /** Share of the identity in the covariance. */
  shrinkage: share,
});

/** A map of the network, and where its means and standard deviations over space lie in the output `levels`. */
export const level = z.object({
  /** The map's name inside student.onnx is this with `_map`. */
  name: text,
  channels: z.int().min(1).max(1e6),
  /** Pixels of the picture between neighbours in the map. */
  stride: z.int().min(1).max(4096),
  mean: count,
  /** Null where a level has means alone. */
  sd: count.nullable(),
});

/** The layout of `levels` [N, dim]: see levels.py. A standard deviation is sqrt(mean((x − mean)²) + eps). */
export const levels = z.object({
  dim: z.int().min(1).max(1e6),
  eps: z.number().positive(),
  parts: z.array(level).min(1).max(64),
});

/** `whole`: the picture in one pass; 1: its centre; 5: centre and corners. */
export const scoredViews = z.literal(["whole", 1, 5]);

const network = {
  model: filled,
  crop: z.int().min(16).max(4096),
  views: scoredViews,
};
const newStudent = z.strictObject({
  ...network,
  backbone: z.null().meta({ must: "is for calibrate only" }),
});
const calibratedStudent = z.strictObject({
  ...network,
  /** The checkpoint to start from; null: the network's own weights. */
  backbone: filled.nullable(),
});

/** A target's name: in the rows file, in the outputs of student.onnx, in the curves. */
export const targetName = z.string().min(1).max(60);

const rates = z.strictObject({ backbone: atLeast0, head: atLeast0 });

// That one weight at least is above 0 is Python's to check: it is of several keys.
const positive = z.number().min(1e-6);
const distillLoss = z.strictObject({
  point: atLeast0,
  pair: atLeast0,
  temperature: positive.default(1),
  huberDelta: positive.default(1),
});
const calibrateLoss = z.strictObject({
  mse: atLeast0,
  plcc: atLeast0,
  /** Of the teacher's scores of unrated images. */
  teacher: atLeast0.default(0),
});

const job = {
  v,
  out: filled,
  resume: z.boolean(),
  seed: count,
  device: z.enum(["auto", "cpu", "cuda", "mps"]),
  threads: trainedSize(1024).nullable(),
  /** Threads that cut and stack pixels; null: by the device and the cores. */
  workers: trainedSize(256).nullable().default(null),
  cache: filled,
  rows: filled,
  /** Rows of all images the student was distilled on, where `rows` holds fewer. */
  domain: filled.nullable().default(null),
  epochs: trainedSize(100_000),
  batch: trainedSize(1_000_000),
  /** Images that go through the network at once; null: the batch. */
  microBatch: trainedSize(1_000_000).nullable().default(null),
  lr: rates,
  weightDecay: atLeast0,
  /** Each layer's rate is that of the one above times this. */
  layerDecay: z.number().min(0.01).max(1).default(1),
  warmup: share,
  clip: atLeast0.nullable(),
  ema: z.number().min(0).max(0.999999).nullable(),
  amp: z.enum(["auto", "off"]),
  /** What autocast computes in on CUDA; `auto`: by what the GPU has. */
  precision: z.enum(["auto", "bf16", "fp16", "fp32"]).default("auto"),
  /** The epoch to export: best on validation (mean of SRCC and PLCC), or the last. */
  keep: z.enum(["best", "last"]),
  headOnly: z.boolean(),
  affineInit: z.boolean().default(true),
};
/** `temperature`: T of its pair-wise loss. */
const distillTarget = z.strictObject({ name: targetName, labels: filled, temperature: positive });
const distillJob = z.strictObject({
  ...job,
  kind: z.literal("distill"),
  student: newStudent,
  /** The labels to learn from, and no others: a file of `writeLabelSnapshot`. */
  labels: filled.meta({ must: "is required for distill" }),
  /** Targets beside the main one, each a head with labels of its own. */
  targets: z.array(distillTarget).min(1).max(15).optional(),
  loss: distillLoss,
});
const noLabels = z.null().meta({ must: "is for distill only: calibrate reads human scores" });
const calibrateJob = z.strictObject({
  ...job,
  kind: z.literal("calibrate"),
  student: calibratedStudent,
  /** Targets beside the main one, each a head and a column of `rows`. */
  targets: z.array(targetName).min(1).max(15).optional(),
  labels: noLabels.default(null),
  /** Rows of unrated training images; their targets are the teacher's scores, on the scale of the human ones. */
  teacher: filled.nullable().default(null),
  loss: calibrateLoss,
});

/** Engine → Python: the job file. */
export const trainerJob = z.discriminatedUnion("kind", [distillJob, calibrateJob]);

const hello = z.object({
  v,
  type: z.literal("hello"),
  python: text,
  torch: text,
  device: text,
  deviceName: text,
  worldSize: count,
  /** The precision that autocast uses. */
  amp: z.enum(["bf16", "fp16", "off"]),
});
/** Worth knowing before the training: a warning. */
const notice = z.object({ v, type: z.literal("notice"), message: text, remedy: text.nullable() });
const progress = z.object({
  v,
  type: z.literal("progress"),
  phase,
  epoch: count,
  epochs: count,
  step: count,
  steps: count,
  /** Null outside of training. */
  imagesPerS: z.number().nullable(),
});
/** One line per epoch (`val` set where there are validation rows) and one each 100 steps within. */
const metrics = z.object({
  v,
  type: z.literal("metrics"),
  epoch: count,
  step: count,
  loss: z.number(),
  /** Null where no batch defines that part. */
  parts: z.record(z.string().max(80), z.number().nullable()),
  lr: z.number(),
  val: agreement.nullable(),
  /** The same of each target beside the main one. */
  targets: z.record(targetName, agreement).optional(),
  imagesPerS: z.number(),
});
const checkpoint = z.object({ v, type: z.literal("checkpoint"), epoch: count, path: text });
export const trainerDone = z.object({
  v,
  type: z.literal("done"),
  epochs: count,
  bestEpoch: count,
  durationS: seconds,
  onnx: text,
  exportMaxDifference: z.number(),
  val: agreement.nullable(),
  /** The same of each target beside the main one. */
  targets: z.record(targetName, agreement).optional(),
  parameters: count,
  /** Null with too few images to tell which are unlike them. */
  domain: domainFacts.nullable(),
  levels,
});
const error = z.object({
  v,
  type: z.literal("error"),
  code: errorCode,
  message: text,
  remedy: text.nullable(),
});

/** Python → engine, a line. What does not fit is no message: it goes to the log, like all that libraries print. */
export const trainerMessage = z.discriminatedUnion("type", [
  hello,
  notice,
  progress,
  metrics,
  checkpoint,
  trainerDone,
  error,
]);

/** A line of `metrics.jsonl`, of an older LEAF too. */
export const storedMetrics = metrics.extend({
  parts: metrics.shape.parts.default({}),
  lr: metrics.shape.lr.default(0),
  val: metrics.shape.val.default(null),
  imagesPerS: metrics.shape.imagesPerS.default(0),
});

/** What Python has, under its names there. */
export const trainerContract = {
  Filled: filled,
  Text: text,
  Count: count,
  Share: share,
  AtLeast0: atLeast0,
  Phase: phase,
  ErrorCode: errorCode,
  Agreement: agreement,
  DomainFacts: domainFacts,
  Level: level,
  Levels: levels,
  NewStudent: newStudent,
  CalibratedStudent: calibratedStudent,
  TargetName: targetName,
  Rates: rates,
  DistillLoss: distillLoss,
  DistillTarget: distillTarget,
  CalibrateLoss: calibrateLoss,
  DistillJob: distillJob,
  NoLabels: noLabels,
  CalibrateJob: calibrateJob,
  TrainerJob: trainerJob,
  Hello: hello,
  Notice: notice,
  Progress: progress,
  Metrics: metrics,
  Checkpoint: checkpoint,
  Done: trainerDone,
  Failure: error,
  TrainerMessage: trainerMessage,
};
