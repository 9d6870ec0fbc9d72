/** What could not be done with one image, pair or row: one value for all stages and commands. */
export interface ItemFailure {
  /**
   * - `index`: a file that is no usable image
   * - `row`: a row of a table that is of no use
   * - `point`, `pair`, `reason`: what the teacher was asked for
   * - `decode`: an image that a training leaves out
   * - `score`: an image without a score of the student
   */
  kind: "index" | "row" | "point" | "pair" | "reason" | "decode" | "score";
  /** As people name it: relative to the config's folder, or as it was given. */
  file: string;
  /** The second image of a pair. */
  other?: string;
  /** 1-based place of a row. */
  line?: number;
  reason: string;
}

/** All failures of a piece of work in a bounded size. */
export interface FailureSummary {
  total: number;
  /** The first ten as they came. */
  first: ItemFailure[];
  /** Equal reasons, the most frequent first; at most ten. */
  reasons: { reason: string; count: number }[];
  /** Path of the file with all of them, one ItemFailure a line; null where there is no place for it. */
  file: string | null;
}
