import type { NetworkName } from "../../../protocol/head.ts";
import type { StageName, TeacherCheck } from "../../../protocol/results.ts";
import type { Project } from "../../config/project.ts";
import type { OneTeacherConfig } from "../../config/teacher.ts";
import type { Catalog, TargetScores } from "../../dataset/catalog.ts";
import type { LeastConfidence } from "../../labels/counting.ts";
import type { LabelStore } from "../../labels/labels.ts";
import type { EnsembleIdentity } from "../../teachers/ensemble/identity.ts";
import type { EnsembleWeights } from "../../teachers/ensemble/weights.ts";
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

/** A teacher that is asked. */
export interface Member {
  config: OneTeacherConfig;
  fingerprint: string;
}

/** Who judges, and who is asked for it. */
export interface Judges {
  /** Whose labels are learnt from. */
  fingerprint: string;
  /** The one teacher, or those of an ensemble: near pairs go by the scores of the first. */
  members: Member[];
  ensemble?: { identity: EnsembleIdentity; weights: EnsembleWeights };
}

export interface LabelPlan extends StagePlan {
  /** Fingerprint of the teacher. */
  teacher: string;
  judges: Judges;
  needs: LabelNeeds;
}

/** What an image is labelled for; hashes, sorted. */
export interface LabelNeeds {
  /** Learnt from: a point each, and partners among each other. */
  train: readonly string[];
  /** They choose the epoch by their points. */
  val: readonly string[];
  /** Test images where the config names no human scores: a point each, which no training reads. */
  unscored: readonly string[];
  /** Asked for by name: nothing learns from these. */
  checks: { images: readonly string[]; pairs: readonly [string, string][] };
}

export interface DistillPlan extends StagePlan {
  label: LabelPlan;
  /** Whether all images are labelled. */
  labelled: boolean;
  /** With which pairs count. */
  minConfidence: LeastConfidence;
  /** T of the pair-wise loss. */
  temperature: number;
  /** Which epoch becomes the student. */
  keep: "best" | "last";
  /** Learnt beside the main one. */
  targets: DistilledTarget[];
}

/** A target beside the main one that the teacher is asked for: its own labels, and how they count. */
export interface DistilledTarget extends Pick<DistillPlan, "label" | "minConfidence" | "temperature"> {
  name: string;
  plan: Plan;
}

/** One line of the trainer's rows file. */
export interface TrainingRow {
  hash: string;
  split: "train" | "val";
  /** MOS on the student's 1..5; null in distill. */
  target: number | null;
  /** In the loss; 1 where it is absent. */
  weight?: number;
}

/** What calibrates a target beside the main one. */
export interface TargetRows {
  name: string;
  range: [lowest: number, highest: number];
  lowerIsBetter: boolean;
  rows: TrainingRow[];
}

export interface CalibratePlan extends StagePlan {
  /** Key of the distilled student it starts from; undefined where it starts from the backbone alone. */
  distilled: string | undefined;
  /** What the chosen images say of the teacher; undefined where nothing depends on it. */
  teacherCheck: TeacherCheck | undefined;
  /** `calibrate:` as it is carried out. */
  settings: Project["config"]["calibrate"];
  rows: TrainingRow[];
  /** The targets beside the main one that there are ratings of. */
  targets: TargetRows[];
  /** Chosen training images; their MOS are all that calibration sees. */
  chosen: number;
  headOnly: boolean;
  /** Networks whose features the closed form weighs; none where it is not fitted. */
  networks: NetworkName[];
  /** Training images without a rating that tell how features spread; sorted. */
  reference: string[];
  /** What the teacher says of training images, where the closed form is refined by it. */
  taught: readonly { hash: string; score: number }[];
}

export type Evaluated = "distill" | "calibrate";

/** A target beside the main one, and the images whose scores of it the student's are compared with. */
export interface EvaluatedTarget extends TargetScores {
  hashes: string[];
}

export interface EvaluatePlan extends StagePlan {
  student: Evaluated;
  studentKey: string;
  hashes: string[];
  /** Those that the student has learnt. */
  targets: EvaluatedTarget[];
  /** Images that the student was calibrated with. */
  calibration: string[];
}

/** The pipeline of a project for one state of its data. Each part is worked out once, when it is first asked for. */
export interface Plan {
  project: Project;
  catalog: Catalog;
  /** The targets beside the main one that the teacher is asked for, each with the plan of its labels; none in such a plan. */
  asked(): { name: string; plan: Plan }[];
  /** Who judges, and who is asked for it. */
  judges(): Promise<Judges>;
  /** Fingerprint of who judges. */
  teacher(): Promise<string>;
  /** The labels, read only; undefined where there is no store that can be read. Open until `close`. */
  labels(): LabelStore | undefined;
  /** The least confidence with which pairs count. */
  minConfidence(): Promise<LeastConfidence>;
  /** T of the pair-wise loss, in points of the 1..5 scale. */
  temperature(): Promise<number>;
  label(): Promise<LabelPlan>;
  distill(): Promise<DistillPlan>;
  /** With `choose` the distilled student may look at the images and choose, if it has not chosen yet. */
  calibrate(choose?: StageOptions): Promise<CalibratePlan>;
  evaluate(student: Evaluated): Promise<EvaluatePlan>;
  close(): void;
}
