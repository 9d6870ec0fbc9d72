import * as z from "zod";
import { count, filled, seconds, text } from "./common.ts";
import { errorCode, targetName } from "./trainer.ts";

// What `python -m leaf.ray` is told, and what it tells: `npm run contract` writes Python's side.

const v = z.literal(1);

const place = {
  /** A cluster that runs already, or null: one on this machine, for this job alone. */
  address: filled.nullable(),
  /** Processes that work at once; null takes as many as the cluster has room for. */
  workers: z.int().min(1).max(100_000).nullable(),
  cpus: z.int().min(1).max(1024),
  /** The command line of LEAF, which every node has at this place. */
  leaf: z.array(filled).min(1).max(8),
};

/** Images: a file of paths, one a line as JSON; a Parquet file with a column `image` or `bytes`; or the URL of a folder. */
const imageSource = z.strictObject({ kind: z.enum(["list", "table", "url"]), at: filled });

const scoreJob = z.strictObject({
  v,
  kind: z.literal("score"),
  ...place,
  /** Folder or URL. */
  out: filled,
  student: filled,
  fingerprint: filled,
  /** Targets beside the main one: columns of their own. */
  targets: z.array(targetName).max(15),
  sources: z.array(imageSource).min(1).max(1000),
  /** Of images in a folder that a URL names. */
  endings: z.array(filled).min(1).max(100),
});

const labelJob = z.strictObject({
  v,
  kind: z.literal("label"),
  ...place,
  gpus: z.number().min(0).max(64),
  /** How many batches a worker has under way or waiting. */
  ahead: z.int().min(1).max(4096),
});

/** Engine → Python: the job file. */
export const clusterJob = z.discriminatedUnion("kind", [scoreJob, labelJob]);

const started = z.object({ v, type: z.literal("started"), workers: count, nodes: count });
const progress = z.object({ v, type: z.literal("progress"), done: count, total: count.nullable() });
const scored = z.object({
  v,
  type: z.literal("scored"),
  scored: count,
  failed: count,
  /** A former run wrote them. */
  known: count,
  seconds,
});
/** What a worker answered to a line that was sent with this number. */
const answer = z.object({ v, type: z.literal("answer"), id: count, line: z.string() });
const failure = z.object({
  v,
  type: z.literal("error"),
  code: errorCode,
  message: text,
  remedy: text.nullable(),
});

/** Python → engine, a line. */
export const clusterMessage = z.discriminatedUnion("type", [started, progress, scored, answer, failure]);

/** Engine → Python, a line, while it labels: the first opens every worker's teacher. */
export const clusterQuestion = z.strictObject({ v, id: count, line: z.string() });

export const clusterContract = {
  Filled: filled,
  Text: text,
  Count: count,
  ErrorCode: errorCode,
  TargetName: targetName,
  ImageSource: imageSource,
  ScoreJob: scoreJob,
  LabelJob: labelJob,
  ClusterJob: clusterJob,
  Started: started,
  Progress: progress,
  Scored: scored,
  Answer: answer,
  Failure: failure,
  ClusterMessage: clusterMessage,
  ClusterQuestion: clusterQuestion,
};
