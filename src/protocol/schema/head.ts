import * as z from "zod";
import { count, figure, filled, interval, seconds, text } from "./common.ts";
import { agreement, errorCode, level, levels, scoredViews, targetName } from "./trainer.ts";

// What the closed form of calibration is told, and what it tells: `npm run contract` writes Python's side.

const v = z.literal(1);
const threads = z.int().min(1).max(1024).nullable();

export const networkName = z.enum(["distilled", "pretrained"]);

const headNetwork = z.strictObject({
  name: networkName,
  /** student.onnx with `levels`. */
  onnx: filled,
  /** float32, little endian: a row for each line of the rows file, its `levels` and then its scores. */
  features: filled,
  levels,
  /** Whether the score says something: that of a network which has learnt from a teacher does. */
  scored: z.boolean(),
  /** Targets beside the main one that it has learnt: after its score, each row has theirs. */
  beside: z.array(targetName).min(1).max(15).optional(),
});

const furtherHead = z.strictObject({ name: targetName, rows: filled });

/** Fits the closed form and writes student.onnx. */
const fitJob = z.strictObject({
  v,
  kind: z.literal("fit"),
  out: filled,
  threads,
  networks: z.array(headNetwork).min(1).max(2),
  /** `target,weight,group,fold`; an image without a target gives statistics of the features alone. */
  rows: filled,
  /** What the teacher says of the images, as rows of the same kind: the main head is refined by it. */
  teacher: filled.optional(),
  /** Heads beside the main one, on the networks that it takes: rows of the same images with their own targets. */
  targets: z.array(furtherHead).min(1).max(15).optional(),
});

/** Exports a network as it comes, with the features of its levels. */
const backboneJob = z.strictObject({
  v,
  kind: z.literal("backbone"),
  out: filled,
  threads,
  model: filled,
  crop: z.int().min(16).max(4096),
  views: scoredViews,
});

/** Engine → Python: the job file. */
export const headJob = z.discriminatedUnion("kind", [fitJob, backboneJob]);

/** A part of the features, and how much of the scores' variance comes from it. */
const block = z.object({ name: text, width: count, share: z.number().min(0).max(1) });

/** What was weighed against what: the higher log evidence wins, and two networks must clearly pay. */
const candidate = z.object({ networks: z.array(networkName), logEvidence: z.number(), srcc: figure });

/** Each rating predicted without its group, at the chosen penalties. */
const leftOut = z.object({
  n: count,
  srcc: figure,
  plcc: figure,
  rmse: figure,
  ci95: interval.nullable(),
  /** Shares of ratings within one and two predicted standard deviations. */
  within: z.tuple([z.number(), z.number()]),
});

/** How many images the teacher told of, and its share of the scores' deviation, 0..0.5. */
const refined = z.object({ images: count, share: z.number().min(0).max(1) });

/** What the closed form came to; kept in the student's card. Scores and sd are on 1..5. */
export const headFacts = z.object({
  networks: z.array(networkName),
  blocks: z.array(block),
  /** Noise variance over the variance that the features explain: a ridge's penalty. */
  penalty: z.number().min(0),
  /** Standard deviation of a rating around what the features can tell. */
  noise: z.number().min(0),
  ratings: count,
  cv: leftOut,
  candidates: z.array(candidate),
  refined: refined.optional(),
});

const fittedHead = z.object({ name: targetName, facts: headFacts, predictions: text });

export const headDone = z.object({
  v,
  type: z.literal("fitted"),
  durationS: seconds,
  onnx: text,
  parameters: count,
  facts: headFacts,
  /** Of each fold that the rows name: what the closed form reaches on it without its ratings. */
  folds: z.array(agreement),
  /** Scores and sd of all rows, on 1..5: `score,sd`. */
  predictions: text,
  /** Of the heads beside the main one, in their order. */
  targets: z.array(fittedHead).optional(),
});

export const backboneDone = z.object({
  v,
  type: z.literal("exported"),
  durationS: seconds,
  onnx: text,
  exportMaxDifference: z.number(),
  parameters: count,
  levels,
  torch: text,
});

const headFailure = z.object({
  v,
  type: z.literal("error"),
  code: errorCode,
  message: text,
  remedy: text.nullable(),
});

/** Python → engine, a line. */
export const headMessage = z.discriminatedUnion("type", [headDone, backboneDone, headFailure]);

/** What Python has, under its names there. */
export const headContract = {
  Filled: filled,
  Text: text,
  Count: count,
  NetworkName: networkName,
  ErrorCode: errorCode,
  Agreement: agreement,
  Level: level,
  Levels: levels,
  TargetName: targetName,
  HeadNetwork: headNetwork,
  FurtherHead: furtherHead,
  FitJob: fitJob,
  BackboneJob: backboneJob,
  HeadJob: headJob,
  Block: block,
  Candidate: candidate,
  LeftOut: leftOut,
  Refined: refined,
  HeadFacts: headFacts,
  FittedHead: fittedHead,
  HeadDone: headDone,
  BackboneDone: backboneDone,
  Failure: headFailure,
  HeadMessage: headMessage,
};
