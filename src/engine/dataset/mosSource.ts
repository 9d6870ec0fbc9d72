import type { ShapeKeys } from "../mos/shape.ts";
import type { SubjectModel } from "../mos/subjects.ts";
import type { Target } from "../mos/targets.ts";
import type { RowProblemKind } from "./imageTable.ts";

/** Where human scores are, and how they are read. */
export interface MosSource extends Omit<ShapeKeys, "score"> {
  /** Path of a CSV, TSV, Excel, JSON, JSON Lines or Parquet file. */
  file: string;
  /** Layout of the file, as in the config. */
  format?: string;
  /** Column with the image's name. */
  image: string;
  /** Column with the mean opinion score, or with single ratings; of several targets the first is read. */
  score: string | readonly Pick<Target, "column">[];
  /** Column with the standard deviation of the opinions. */
  std?: string;
  /** Column with their number. */
  count?: string;
  /** How ratings become a MOS. */
  subjects?: SubjectModel;
  range: readonly [lowest: number, highest: number];
  lowerIsBetter?: boolean;
}

export type MosProblemKind = RowProblemKind | "notANumber" | "outOfRange" | "duplicate" | "conflict";
