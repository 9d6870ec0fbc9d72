import path from "node:path";
import type { StageReason } from "../../protocol/project.ts";
import type { StageName, StageState } from "../../protocol/results.ts";
import { LeafError } from "../base/errors.ts";
import { type LabelStore, openLabels } from "../labels/labels.ts";
import type { Plan } from "./plan/types.ts";
import { hasStudent, stageDir } from "./stage.ts";

/** What became of a finished stage whose output is no longer there: a store that was replaced, a student that was removed. */
export async function lostOutput(
  plan: Plan,
  stage: StageName,
  key: string,
): Promise<{ state: StageState; reason: StageReason } | undefined> {
  const { project, catalog } = plan;
  if (stage === "evaluate") return undefined;
  if (stage !== "label")
    return hasStudent(stageDir(project, stage, key))
      ? undefined
      : { state: "missing", reason: { kind: "studentGone" } };
  if (catalog.hashes.length === 0) return undefined;
  try {
    // A store that cannot be opened says why.
    const store = plan.labels() ?? openLabels(project.labelsFile, { readOnly: true });
    if (hasAnyLabel(store, await plan.teacher())) return undefined;
    return { state: "missing", reason: { kind: "noLabels", file: path.basename(project.labelsFile) } };
  } catch (error) {
    if (!(error instanceof LeafError) || error.code === "cancelled") throw error;
    return { state: "failed", reason: { kind: "failed", message: error.words.message } };
  }
}

function hasAnyLabel(store: LabelStore, teacher: string): boolean {
  for (const _ of store.points(teacher)) return true;
  return false;
}
