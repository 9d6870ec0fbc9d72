import type { LabelResult, Spent } from "../../../../protocol/results.ts";
import type { Project } from "../../../config/project.ts";
import type { OneTeacherConfig } from "../../../config/teacher.ts";
import type { LabelStore } from "../../../labels/labels.ts";
import type { Teacher } from "../../../teachers/teacher.ts";
import type { StageOptions } from "../../stage.ts";

/** Opens what a config names. Throws LeafErrors. */
export type OpenTeacher = (
  project: Project,
  config: OneTeacherConfig,
  options: Pick<LabelOptions, "signal" | "onProgress" | "spent">,
) => Promise<Teacher>;

export interface LabelOptions extends StageOptions {
  /** Half of the work; the stage is finished once both halves are done. */
  only?: "points" | "pairs";
  /** Ask again what failed in an earlier run (the default). False: only where that run was cut off. */
  retryFailed?: boolean;
  /** What was spent already of a teacher's limit. */
  spent?: Spent;
  /** Who opens a teacher: by default this machine asks it. */
  open?: OpenTeacher;
}

/** What was labelled of a target beside the main one. */
export type NamedLabels = NonNullable<LabelResult["targets"]>[number];

/** Who is asked. */
export interface Asked {
  /** Null where the store is. */
  config: OneTeacherConfig | null;
  opened?: Teacher;
  /** Makes one teacher of the labels of several. */
  together?: (store: LabelStore) => Teacher;
  /** One of an ensemble: its labels are not yet the stage's. */
  member?: boolean;
  /** What was labelled of the targets beside the main one. */
  targets?: readonly NamedLabels[];
}
