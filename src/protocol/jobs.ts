import type { FailureSummary } from "./failures.ts";
import type { Progress } from "./progress.ts";
import type { StageName } from "./results.ts";
import type { Text } from "./text.ts";
import type { TrainerMessage } from "./trainer.ts";

/** What a job does: all stages that are not fresh, one stage, the Python environment, or an experiment on this config. */
export type JobKind = "run" | StageName | "env" | "experiment";

/** Kinds of failures, for whoever must tell them apart. */
export const failureCodes = [
  "usage",
  "config",
  "consent",
  "input",
  "environment",
  "failed",
  "cancelled",
  "internal",
] as const;

/** A failure as a value: one sentence, the place, the way out. */
export interface Failure {
  code: (typeof failureCodes)[number];
  message: string;
  remedy?: string;
  /** Path of the file it is about. */
  file?: string;
  line?: number;
  column?: number;
  /** The images, pairs or rows that failed, where these are why. */
  failures?: FailureSummary;
  words?: FailureWords;
}

/** `message` and `remedy` as data, for a language other than English. */
export interface FailureWords {
  message: Text;
  remedy?: Text;
}

/** Progress with what a person wants to know of it. */
export interface TimedProgress extends Progress {
  /** `unit` a second, over the current step. */
  rate: number | null;
  secondsLeft: number | null;
}

export interface JobSnapshot {
  id: string;
  kind: JobKind;
  /** URI of the config. */
  config: string;
  started: string;
  ended: string | null;
  state: "running" | "done" | "failed" | "cancelled";
  progress: TimedProgress | null;
  failure: Failure | null;
  /** Counts of sentences told while it ran. */
  warnings: number;
  /** URI of the experiment's file, for that kind. */
  experiment?: string;
}

/** One line of a job's `events.jsonl`, and what the panel's Run tab draws. `at` is milliseconds since 1970. */
export type JobEvent =
  | { at: number; type: "progress"; progress: Progress }
  | { at: number; type: "trainer"; stage: "distill" | "calibrate"; message: TrainerMessage }
  | { at: number; type: "warning"; message: string; words?: Text }
  | { at: number; type: "stage"; stage: StageName; result: unknown }
  /** A cancelled one has a `failure` only where nobody asked for it: why it stopped. */
  | { at: number; type: "end"; state: "done" | "failed" | "cancelled"; failure?: Failure; result?: unknown };

/** Engine → job process: `.leaf/jobs/<id>/job.json`. */
export interface JobRequest {
  v: 1;
  id: string;
  kind: JobKind;
  configFile: string;
  started: string;
  /** Milliseconds without anybody listening after which it stops, unless it was let go. */
  patienceMs: number;
  /** Path of the experiment's file, for that kind. */
  experiment?: string;
  /** Labels are asked for from there, and not from this machine. */
  cluster?: Cluster;
}

/** A Ray cluster, and what each of its workers takes. */
export interface Cluster {
  /** Null: one on this machine, for this job alone. */
  address: string | null;
  /** GPUs of each worker; may be a part of one. */
  workerGpus: number;
}
