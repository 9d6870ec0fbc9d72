import path from "node:path";
import type { RunRecord, StageName } from "../../protocol/results.ts";
import type { Project } from "../config/project.ts";
import { listRuns } from "./runs.ts";
import { hasStudent, stageDir } from "./stage.ts";

/** The runs of this config and of no other in its folder, nor of an experiment on it; the one that was worked on last comes first. */
export function runsOf(project: Pick<Project, "configFile">, runs: readonly RunRecord[]): RunRecord[] {
  const name = path.basename(project.configFile);
  return runs.filter((run) => run.configFile === name).sort((a, b) => (a.updated < b.updated ? 1 : -1));
}

/** A trained student, and the run that it is of. */
export interface RunStudent {
  run: RunRecord;
  stage: Extract<StageName, "distill" | "calibrate">;
  key: string;
  /** Folder of student.onnx and student.json. */
  dir: string;
}

/** The student that a run ended with: calibrated before distilled. */
export function studentOf(project: Project, run: RunRecord): RunStudent | undefined {
  for (const stage of ["calibrate", "distill"] as const) {
    const key = run.stages[stage]?.key;
    const dir = key && stageDir(project, stage, key);
    if (dir && hasStudent(dir)) return { run, stage, key, dir };
  }
  return undefined;
}

/** Which student scores for a config: that of its newest run that has one. The only place that decides this. */
export function currentStudent(project: Project, runs: readonly RunRecord[]): RunStudent | undefined {
  for (const run of runsOf(project, runs)) {
    const student = studentOf(project, run);
    if (student) return student;
  }
  return undefined;
}

/** The same of the runs as they are on the disk now. */
export async function findCurrentStudent(project: Project): Promise<RunStudent | undefined> {
  return currentStudent(project, await listRuns(project));
}
