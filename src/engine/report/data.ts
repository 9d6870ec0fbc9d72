import type { EvaluateResult, Metrics, Retest, RunRecord } from "../../protocol/results.ts";
import type { RunCurves } from "../../protocol/server.ts";
import type { StudentCard } from "../../protocol/student.ts";
import type { Config } from "../config/config.ts";
import type { Rater } from "../mos/subjects.ts";
import type { Prediction } from "../pipeline/predictions.ts";

/** An image that the report shows. Scores are on the reported scale. */
export interface ShownImage {
  /** Relative to the config's folder. */
  path: string;
  score: number;
  mos: number | null;
  /** A small JPEG as a data: URL; null where the file is gone or unreadable. */
  picture: string | null;
}

/** What is known of one rater. */
export interface RaterFacts extends Rater {
  /** Absent where no image was rated twice. */
  retest?: Omit<Retest, "rater">;
}

export interface DatasetFacts {
  images: number;
  failed: number;
  splits: { train: number; val: number; test: number };
  rated: number | null;
  problems: string[];
  /** Those who rated, where the MOS file says it. */
  raters?: RaterFacts[];
}

/** What went wrong or is worth a look, as a check of the run found it. */
export interface Finding {
  level: "problem" | "warning" | "note";
  title: string;
  detail: string;
  remedy?: string;
}

/** Tables that other parts of the engine add: how reliable labels and scores are, and the like. */
export interface ReportTable {
  title: string;
  note?: string;
  header: string[];
  rows: string[][];
}

export interface ReportData {
  /** File name of the config. */
  configName: string;
  created: string;
  run: RunRecord;
  config: Config;
  card: StudentCard | null;
  /** null where the images cannot be read any more. */
  dataset: DatasetFacts | null;
  curves: RunCurves;
  evaluation: EvaluateResult | null;
  /** The distilled student on the same images. */
  distilled: Metrics | null;
  predictions: Prediction[];
  /** Scores of a sample of images, where nothing was evaluated. */
  sampleScores: number[];
  range: [number, number];
  lowerIsBetter: boolean;
  images: { worst: ShownImage[]; best: ShownImage[]; mostWrong: ShownImage[] };
  findings?: Finding[];
  tables?: ReportTable[];
}
