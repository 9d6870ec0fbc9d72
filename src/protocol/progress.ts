import type { StageName } from "./results.ts";
import type { Text } from "./text.ts";

/** How far a stage is. Rate and time left are derived by whoever shows it. */
export interface Progress {
  stage: StageName | "index" | "score" | "env";
  /** What is happening, in a few words: "points", "pairs", "decode", "epoch 3 of 20". */
  step: string;
  done: number;
  /** Unknown while a stream is still being counted. */
  total?: number;
  /** What is counted: "images", "pairs", "steps". */
  unit: string;
  /** A figure worth a glance, such as "loss 0.41 · val SRCC 0.71"; former versions kept it in English. */
  detail?: Text | string;
  /** Trials of the experiment it is part of. */
  overall?: { done: number; total: number };
}

export type ProgressSink = (progress: Progress) => void;
