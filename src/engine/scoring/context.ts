import type { StudentCard } from "../../protocol/student.ts";
import type { Project } from "../config/project.ts";
import type { TargetScores } from "../dataset/catalog.ts";
import type { SplitName } from "../dataset/split.ts";
import type { LeastConfidence } from "../labels/counting.ts";

/** What gives scores right now: the newest student, or the embedded teacher before there is one. */
export interface Scorer {
  kind: "student" | "embedded";
  /** Key of its scores in the score store: changes with the weights. */
  fingerprint: string;
  /** Folder of student.onnx and student.json. */
  dir: string | null;
  card: StudentCard | null;
  /** Run of the student. */
  run: string | null;
}

/** A project as the editor's views read it: the last known MOS and splits, so that a look never needs a new scan. */
export interface LiveContext {
  project: Project;
  mos: ReadonlyMap<string, number>;
  /** Standard deviations of the opinions, where the MOS file has them. */
  mosStd?: ReadonlyMap<string, number>;
  /** The targets beside the main one. */
  targets?: readonly TargetScores[];
  splitOf(hash: string): SplitName;
  /** Fingerprint of the config's teacher. */
  teacher: string;
  scorer: Scorer;
  /** With which pairs count. */
  minConfidence: LeastConfidence;
  /** T of the pair-wise loss. */
  temperature: number;
}

/**
 * `.leaf/cache/scores.sqlite`: what scorers said of images; a cache that may be deleted at any time. `score` is on 1..5 whatever
 * the scorer; the probabilities are those of the embedded teacher, best first. `distance` and `sd` are a student's: see ScoreRow.
 */
export const scoresSchema = `
  CREATE TABLE scores (
    scorer TEXT NOT NULL, hash TEXT NOT NULL, score REAL NOT NULL,
    excellent REAL, good REAL, fair REAL, poor REAL, bad REAL, confidence REAL, distance REAL,
    sd REAL,
    PRIMARY KEY (scorer, hash)
  ) WITHOUT ROWID;
  CREATE INDEX scores_by_score ON scores (scorer, score);
  PRAGMA user_version = 3;
`;
