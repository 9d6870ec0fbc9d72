import type { FailureSummary } from "./failures.ts";
import type { JobSnapshot } from "./jobs.ts";
import type { EvaluateResult, ExperimentMark, StageName, StageState } from "./results.ts";
import type { Text } from "./text.ts";

/** A config and all that hangs on it, as views show it. The server is its only owner. */
export interface ProjectSnapshot {
  /** URI of the config file: the project's identity in every message. */
  config: string;
  /** "leaf.yaml" or "renders/leaf.yaml", relative to the workspace folder. */
  name: string;
  /** URI of the config's folder, without a slash at the end. */
  folder: string;
  /** Grows with every change of this project. */
  revision: number;
  /** Why no stage can run, as "leaf.yaml:3:1: …". */
  invalid: string | null;
  /** It is being read for the first time: `invalid` says so, and passes by itself. */
  reading?: boolean;
  /** The parts of `invalid`, where it is of the config's own text. */
  invalidAt?: { file: string; line: number; message: string };
  /** `images:` as written, for sentences such as "photos is being read". */
  imagesName: string;
  /** null until the folder was read once. */
  images: { files: number; usable: number; failed: number } | null;
  /** Human scores: how many images have one, by split. null where the config names none. */
  mos: {
    file: string;
    rated: number;
    train: number;
    val: number;
    test: number;
    range: [number, number];
  } | null;
  stages: StageSnapshot[];
  /** Stages that `run` would redo. */
  stale: number;
  scorer: ScorerInfo | null;
  /** Images that have a score of `scorer`. While `done < total` and `busy`, scoring goes on in the background. */
  scored: { done: number; total: number; busy: boolean };
  /** The job under way, or the last one that ended since the server started. */
  job: JobSnapshot | null;
  /** The user's settings name a cluster to label on. */
  cluster?: boolean;
}

export interface StageSnapshot {
  stage: StageName;
  state: StageState;
  /** Why it is stale, failed or cannot run. */
  reason: StageReason | null;
  /** The last result in a few words: "4,000 images, 16,000 pairs (1,912 discarded)", "SRCC 0.861 [0.84, 0.88] · PLCC 0.867". */
  headline: string | null;
  /** Run and time of that result. */
  run: string | null;
  updated: string | null;
  /** Images, pairs and rows that its last work left out, or that it failed for; absent where nothing failed. */
  failures?: StageFailures;
}

/** A setting or a fact that is another one than before; without values where only that is known. */
export interface Change {
  /** As in the config: "distill.epochs"; "images", "labels", "overrides", "ratings", "distilled" and "calibrated" are facts. */
  key: string;
  before?: unknown;
  after?: unknown;
}

/** Why a stage is not fresh; `src/words/why.ts` puts it in words. */
export type StageReason =
  | { kind: "changed"; changes: Change[] }
  | { kind: "upstream"; stage: StageName; state: StageState }
  /** The config names none: `run` passes over the stage. */
  | { kind: "noHumanScores"; message: Text }
  /** It cannot be run as things are. */
  | { kind: "blocked"; message: Text }
  | { kind: "failed"; message: Text }
  | { kind: "studentGone" }
  | { kind: "noLabels"; file: string }
  /** A former version kept no inputs, or they are gone. */
  | { kind: "unknown" };

/** As a FailureSummary; `list` is the URI of the file with all of them. */
export interface StageFailures extends Omit<FailureSummary, "file"> {
  list: string | null;
}

/** What gives the scores that are shown. A bare number is never shown without it. */
export interface ScorerInfo {
  kind: "student" | "embedded";
  /** Names it in one line: "student r12 · calibrated", "embedded teacher". */
  title: Text;
  fingerprint: string;
  /** Lowest and highest of the scale its scores are on: the MOS scale once calibrated, else 1..5. */
  scale: [number, number];
  lowerIsBetter: boolean;
  /** Of a student of several targets: each with its scale, the main one, whose is above, first. */
  targets?: { name: string; scale: [number, number]; lowerIsBetter: boolean }[];
}

export interface RunSummary {
  id: string;
  /** URI of its config file. */
  config: string;
  state: "running" | "done" | "failed" | "cancelled";
  /** Why it failed or was cancelled, in a sentence. */
  reason?: Text | null;
  created: string;
  updated: string;
  pinned: boolean;
  /** The run before it of the same config, which `changes` are against; null for the first. */
  previous: string | null;
  /** Settings that differ from the previous run's. */
  changes: Change[];
  /** Human scores used. */
  ratings: number | null;
  agreement: { n: number; srcc: number | null; plcc: number | null } | null;
  evaluation: EvaluateResult | null;
  seconds: number;
  gitCommit: string | null;
  /** The resolved config, flat: "distill.epochs" → "20". For tables and differences. */
  settings: Record<string, string>;
  /** Where an experiment made it: views group these. */
  experiment?: ExperimentMark;
}
