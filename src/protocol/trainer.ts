import type { DomainFacts } from "./student.ts";

/** Engine → Python: the job file. See src/python/leaf/job.py, which refuses anything else. */
export interface TrainerJob {
  v: 1;
  kind: "distill" | "calibrate";
  out: string;
  resume: boolean;
  seed: number;
  device: "auto" | "cpu" | "cuda" | "mps";
  threads: number | null;
  student: { model: string; crop: number; views: 1 | 5; backbone: string | null };
  cache: string;
  rows: string;
  /** Rows of all images the student was distilled on, where `rows` holds fewer. */
  domain?: string;
  labels?: { db: string; teacher: string; minConfidence: number; maxPointId: number; maxPairId: number };
  epochs: number;
  batch: number;
  lr: { backbone: number; head: number };
  weightDecay: number;
  warmup: number;
  clip: number | null;
  ema: number | null;
  amp: "auto" | "off";
  /** The epoch to export: best on validation (mean of SRCC and PLCC), or the last. */
  keep: "best" | "last";
  headOnly: boolean;
  affineInit?: boolean;
  loss:
    | { point: number; pair: number; temperature: number; confidence: boolean }
    | { mse: number; plcc: number };
}

export interface Agreement {
  n: number;
  srcc: number | null;
  plcc: number | null;
}

/** Python → engine, one JSON object a line on the trainer's own channel. */
export type TrainerMessage =
  | {
      v: 1;
      type: "hello";
      python: string;
      torch: string;
      device: string;
      deviceName: string;
      worldSize: number;
      /** The precision that autocast uses. */
      amp: "bf16" | "off";
    }
  | {
      v: 1;
      type: "progress";
      phase: "load" | "train" | "validate" | "export";
      epoch: number;
      epochs: number;
      step: number;
      steps: number;
      imagesPerS: number;
    }
  | {
      v: 1;
      type: "metrics";
      epoch: number;
      step: number;
      loss: number;
      parts: Record<string, number>;
      lr: number;
      val: Agreement | null;
      imagesPerS: number;
    }
  | { v: 1; type: "checkpoint"; epoch: number; path: string }
  | TrainerDone
  | {
      v: 1;
      type: "error";
      code: "nan" | "oom" | "input" | "environment" | "failed";
      message: string;
      remedy: string | null;
    };

export interface TrainerDone {
  v: 1;
  type: "done";
  epochs: number;
  bestEpoch: number;
  durationS: number;
  onnx: string;
  exportMaxDifference: number;
  val: Agreement | null;
  parameters: number;
  domain: DomainFacts | null;
}
