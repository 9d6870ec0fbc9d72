import type { StageName, TeacherCheck } from "../../../protocol/results.ts";
import type { Project } from "../../config/project.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import type { LeastConfidence } from "../../labels/counting.ts";
import type { LabelStore } from "../../labels/labels.ts";
import type { StageOptions } from "../stage.ts";

/** All that a stage's output depends on; equal inputs are the same work. Kept in its `result.json`. */
export type StageInputs = Record<string, unknown>;

/** What a stage would do with the config, the files and the labels as they are now. */
export interface StagePlan {
  stage: StageName;
  inputs: StageInputs;
  /** Hash of `inputs`: the name of the stage's folder. */
  key: string;
  /** Keys of the stages that a run of this one stands on; this one's too. */
  keys: Partial<Record<StageName, string>>;
}

export interface LabelPlan extends StagePlan {
  /** Fingerprint of the teacher. */
  teacher: string;
}

export interface DistillPlan extends StagePlan {
  label: LabelPlan;
  /** Whether all images are labelled. */
  labelled: boolean;
  /** With which pairs count. */
  minConfidence: LeastConfidence;
  /** Which epoch becomes the student. */
  keep: "best" | "last";
}

/** One line of the trainer's rows file. */
export interface TrainingRow {
  hash: string;
  split: "train" | "val";
  /** MOS on the student's 1..5; null in distill. */
  target: number | null;
}

export interface CalibratePlan extends StagePlan {
  /** Key of the distilled student it starts from; undefined where it starts from the backbone alone. */
  distilled: string | undefined;
  /** What the chosen images say of the teacher; undefined where nothing depends on it. */
  teacherCheck: TeacherCheck | undefined;
  /** `calibrate:` as it is carried out. */
  settings: Project["config"]["calibrate"];
  rows: TrainingRow[];
  /** Chosen training images; their MOS are all that calibration sees. */
  chosen: number;
  headOnly: boolean;
}

export type Evaluated = "distill" | "calibrate";

export interface EvaluatePlan extends StagePlan {
  student: Evaluated;
  studentKey: string;
  hashes: string[];
  /** Images that the student was calibrated with. */
  calibration: string[];
}

/** The pipeline of a project for one state of its data. Each part is worked out once, when it is first asked for. */
export interface Plan {
  project: Project;
  catalog: Catalog;
  teacher(): Promise<string>;
  /** The labels, read only; undefined where there is no store that can be read. Open until `close`. */
  labels(): LabelStore | undefined;
  /** The least confidence with which pairs count. */
  minConfidence(): Promise<LeastConfidence>;
  label(): Promise<LabelPlan>;
  distill(): Promise<DistillPlan>;
  /** With `choose` the distilled student may look at the images and choose, if it has not chosen yet. */
  calibrate(choose?: StageOptions): Promise<CalibratePlan>;
  evaluate(student: Evaluated): Promise<EvaluatePlan>;
  close(): void;
}
