import type { z } from "zod";
import type { HeadFacts } from "./head.ts";
import type { domainFacts, levels, scoredViews } from "./schema/trainer.ts";

export type DomainFacts = z.infer<typeof domainFacts>;
/** Where what lies in the output `levels`. */
export type Levels = z.infer<typeof levels>;
/** What of a picture is scored. */
export type ScoredViews = z.infer<typeof scoredViews>;

/** A target of a student that has several. */
export interface CardTarget {
  name: string;
  /** Names of its outputs; `sd` null without error bars. */
  score: string;
  sd: string | null;
  mosScale: { range: [number, number]; lowerIsBetter: boolean };
  /** Of those beside the main one. */
  head?: HeadFacts | null;
}

/** What a student in 8-bit integers lost against the one in floats, on images that it was not calibrated on. */
export interface Int8Facts {
  srcc: number;
  /** The largest difference of a score, on 1..5. */
  largest: number;
  images: number;
  /** Images that the ranges of its integers were read off. */
  calibratedOn: number;
}

/** `student.json`: everything needed to score with `student.onnx`, and where it comes from. */
export interface StudentCard {
  v: 1;
  stage: "distill" | "calibrate";
  model: string;
  input: { resize: number | null; crop: number; views: ScoredViews; decode?: "scaled" };
  /** Where the student's 1..5 lies on the human scale; null until calibrated. */
  mosScale: { range: [number, number]; lowerIsBetter: boolean } | null;
  parameters: number;
  /** Largest difference of a score between PyTorch and ONNX Runtime on real crops. */
  exportMaxDifference: number;
  /** Outputs of student.onnx beside `score`; absent in students of LEAF 0.1.0, which have `features` alone. */
  outputs?: ("features" | "map" | "distance" | "levels" | "sd")[];
  /** When an image is unlike those it was distilled on; null where these were too few to tell. */
  domain?: DomainFacts | null;
  /** The layout of the output `levels`; absent in students that lack it. */
  levels?: Levels | null;
  /** Where there are several: the outputs of each, its scale, and its head of a closed form. The main one is first. */
  targets?: CardTarget[];
  /** Where calibration was in closed form: what it came to. */
  head?: HeadFacts | null;
  /** Of one in 8-bit integers: `leaf export student --int8`. */
  int8?: Int8Facts | null;
  provenance: {
    leaf: string;
    created: string;
    stageKey: string;
    teacher: string | null;
    images: number;
    torch: string;
    device: string;
  };
}
