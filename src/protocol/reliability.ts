import type { PositionBias } from "./results.ts";

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  /** Claims in (low, high]; the first bin holds its lower end too. */
  low: number;
  high: number;
  n: number;
  /** Mean claimed probability, or confidence. */
  claimed: number;
  /** Share that was right, with Wilson's 95 % interval. */
  right: number;
  ci95: [number, number];
}

/** How well claimed probabilities of being right fit the share that is right. */
export interface CalibrationMetrics {
  n: number;
  /** Share that was right. */
  right: number;
  /** Expected calibration error over the bins (Naeini et al. 2015; Guo et al. 2017). */
  ece: number;
  /** Mean squared error of the probabilities; of points summed over the five words. */
  brier: number;
  /** Mean negative log-likelihood of the truth, in nats. */
  nll: number;
  /** Of the confidence, as a test for being right; null where all or none are right. */
  auroc: number | null;
}

/** Temperature T that divides the teacher's logits (Guo et al. 2017), fitted on calibration images alone. */
export interface TemperatureScaling {
  /** Null: too few judgements of calibration images to fit, see `why`. */
  temperature: number | null;
  fittedOn: number;
  /** Judgements of other images only, before and after; null without any. */
  before: CalibrationMetrics | null;
  after: CalibrationMetrics | null;
  why?: string;
}

export interface PairReliability extends CalibrationMetrics {
  /** Pairs whose MOS differ by less, on 1..5, have no winner and are left out. */
  threshold: number;
  undecided: number;
  /** By claimed probability of the winner, 0.5..1. */
  bins: ReliabilityBin[];
  /** By confidence 1 − H, 0..1: what `label.minConfidence` cuts. */
  byConfidence: ReliabilityBin[];
  temperature: TemperatureScaling;
  minConfidence: MinConfidence;
}

export interface PointReliability extends CalibrationMetrics {
  /** By claimed probability of the top word; it is right where it is the word of the MOS. */
  bins: ReliabilityBin[];
  temperature: TemperatureScaling;
  /** Of the expected scores. */
  srcc: number | null;
  plcc: number | null;
  ci95: [number, number] | null;
  /** Groups of images that the interval was drawn by; absent where it was images. */
  groups?: number;
}

/** The smallest confidence whose pairs are right significantly more often than not. */
export interface MinConfidence {
  /** Null where no confidence is, or there are too few pairs to tell. */
  value: number | null;
  /** Pairs of calibration images that it rests on. */
  n: number;
  why?: string;
}

export interface RatedImage {
  hash: string;
  /** Relative path. */
  image: string;
  /** As in the MOS file. */
  mos: number;
  group: string;
}

/** A pair that the teacher got wrong although it was sure. MOS and names are those of the winner by MOS first. */
export interface ConfidentError {
  better: RatedImage;
  worse: RatedImage;
  /** The teacher's probability that `better` is better. */
  p: number;
  confidence: number;
}

export interface GroupReliability {
  group: string;
  /** Decided pairs with an image of this group. */
  pairs: number;
  right: number;
  /** Wrong with a confidence of at least 0.5. */
  confidentlyWrong: number;
}

export interface TeacherReliability {
  teacher: string;
  kind: string;
  /** Whose human scores it is held against. */
  split: "train" | "val" | "test";
  /** Its images with a MOS. */
  rated: number;
  /** Of these the calibration images: all that a fit may see. */
  calibration: number;
  pairs: PairReliability | null;
  points: PointReliability | null;
  groups: GroupReliability[];
  confidentErrors: ConfidentError[];
  positionBias: PositionBias | null;
}

/** Two teachers' labels of the same images and pairs. */
export interface TeacherComparison {
  points: {
    n: number;
    srcc: number | null;
    plcc: number | null;
    /** Mean of a's score − b's, on 1..5. */
    meanDifference: number;
    /** Share with the same top word, and Cohen's kappa of it; quadratic weights count how far words are apart. */
    sameWord: number;
    kappa: number | null;
    kappaQuadratic: number | null;
  } | null;
  pairs: {
    n: number;
    /** Share with the same winner. */
    equal: number;
    kappa: number | null;
    /** Of P(a better). */
    plcc: number | null;
  } | null;
}
