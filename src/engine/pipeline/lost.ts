import { readdir } from "node:fs/promises";
import path from "node:path";
import type { StageState } from "../../protocol/results.ts";
import { LeafError } from "../base/errors.ts";
import { isMissing } from "../base/files.ts";
import type { Project } from "../config/project.ts";
import type { Catalog } from "../dataset/catalog.ts";
import { openLabels } from "../labels/labels.ts";
import { teacherFingerprint } from "../teachers/createTeacher.ts";
import { readRun } from "./runs.ts";
import { hasStudent, type StageName, stageDir } from "./stage.ts";

/** What became of a finished stage whose output is no longer there: a store that was replaced, a student that was removed. */
export async function lostOutput(
  project: Project,
  catalog: Catalog,
  stage: StageName,
  key: string,
): Promise<{ state: StageState; why: string } | undefined> {
  if (stage === "evaluate") return undefined;
  if (stage !== "label")
    return hasStudent(stageDir(project, stage, key))
      ? undefined
      : { state: "missing", why: "its student is gone" };
  try {
    const teacher = await teacherFingerprint(project.config.teacher, project.root);
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      if (catalog.hashes.length === 0 || hasAnyLabel(store, teacher)) return undefined;
      return { state: "missing", why: `${path.basename(project.labelsFile)} holds no label of this teacher` };
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof LeafError) || error.code === "cancelled") throw error;
    return { state: "failed", why: error.message };
  }
}

function hasAnyLabel(store: ReturnType<typeof openLabels>, teacher: string): boolean {
  for (const _ of store.points(teacher)) return true;
  return false;
}

/** Runs whose record cannot be read: they are passed over, and people should know. */
export async function unreadableRuns(project: Project): Promise<string[]> {
  let names: string[];
  try {
    names = (await readdir(project.runs)).filter((name) => /^r\d+$/.test(name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const problems: string[] = [];
  for (const name of names) {
    const file = path.join(project.runs, name, "run.json");
    const run = await readRun(project, name).catch(() => undefined);
    if (!run) problems.push(`the run ${name} is passed over: ${file} is missing or cannot be read`);
  }
  return problems;
}
