import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Project } from "./project.ts";
import { listRuns } from "./runs.ts";
import { type StageName, stageNames } from "./stages/stage.ts";

/** Removes stage outputs that no run stands on; with `cache`, also what can be computed again. Labels and runs stay. */
export async function cleanStages(
  project: Project,
  cache: boolean,
): Promise<{ removed: string[]; bytes: number }> {
  const needed = new Set<string>();
  for (const run of await listRuns(project)) {
    for (const name of stageNames) {
      const key = run.stages[name]?.key;
      if (key) needed.add(path.join(name, key));
    }
    if (run.distilledEvaluation) needed.add(path.join("evaluate", run.distilledEvaluation));
  }
  const removed: string[] = [];
  let bytes = 0;
  const drop = async (target: string) => {
    bytes += await sizeOf(target);
    await rm(target, { recursive: true, force: true });
    removed.push(path.relative(project.leaf, target));
  };
  for (const stage of stageNames satisfies readonly StageName[]) {
    for (const key of await namesIn(path.join(project.stages, stage))) {
      if (!needed.has(path.join(stage, key))) await drop(path.join(project.stages, stage, key));
    }
  }
  if (cache) await drop(project.cache);
  return { removed, bytes };
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => []);
}

async function sizeOf(target: string): Promise<number> {
  const info = await stat(target).catch(() => undefined);
  if (!info) return 0;
  if (!info.isDirectory()) return info.size;
  let sum = 0;
  for (const name of await namesIn(target)) sum += await sizeOf(path.join(target, name));
  return sum;
}
