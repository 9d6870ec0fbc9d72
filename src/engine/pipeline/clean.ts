import { existsSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { stageNames } from "../../protocol/results.ts";
import { key as stageKey } from "../../protocol/schema/common.ts";
import { inEnglish, say } from "../../words/text.ts";
import { LeafError, messageOf } from "../base/errors.ts";
import { type ClaimedFolder, claimFolder, holderWords } from "../base/lockHolder.ts";
import { waitForLock } from "../base/processLock.ts";
import type { Project } from "../config/project.ts";
import { cacheLockFile, isTensorLockFile, tensorLockFile } from "../dataset/cacheUse.ts";
import { stageLockName } from "./lock.ts";
import { readRuns } from "./runs.ts";
import { readResult } from "./stage.ts";

export interface CleanResult {
  /** Paths relative to `.leaf`. */
  removed: string[];
  bytes: number;
  /** What was left although no run needs it, and why. */
  kept: { path: string; reason: string }[];
}

/** Folders that are claimed at a time: each is an open file. */
const batch = 50;
const tensorsName = "tensors";
const patienceMs = 60_000;

/**
 * Removes stage outputs that no run stands on; with `cache`, also what can be computed again. Labels and runs stay, and whatever a
 * process works on or reads. Throws LeafError `failed` where a run cannot be read: what it stands on is not known.
 */
export async function cleanStages(project: Project, cache: boolean): Promise<CleanResult> {
  const result: CleanResult = { removed: [], bytes: 0, kept: [] };
  if (!existsSync(project.leaf)) return result;
  // Two at a time would take each other for work under way.
  const lock = await waitForLock(path.join(project.leaf, "clean.lock"), { waitMs: patienceMs });
  if (!lock) {
    throw new LeafError("failed", say`Another \`leaf clean\` has been at work here for a minute.`, {
      remedy: say`Wait for it, or stop it, then run the command again.`,
    });
  }
  try {
    await removeStages(project, result);
    if (cache) await removeCache(project, result);
  } finally {
    lock.release();
  }
  return result;
}

async function removeStages(project: Project, result: CleanResult): Promise<void> {
  const needed = await neededStages(project);
  const candidates: string[] = [];
  for (const stage of stageNames)
    for (const key of await namesIn(path.join(project.stages, stage)))
      if (!needed.has(path.join(stage, key))) candidates.push(path.join(project.stages, stage, key));
  for (let at = 0; at < candidates.length; at += batch)
    await removeBatch(project, candidates.slice(at, at + batch), result);
}

/** All are claimed before it is asked once more what is needed: a stage may have been finished since. */
async function removeBatch(project: Project, folders: string[], result: CleanResult): Promise<void> {
  const claimed = new Map<string, ClaimedFolder>();
  try {
    for (const dir of folders) {
      // A link goes, not what it leads to.
      if (!(await lstat(dir).catch(() => undefined))?.isDirectory()) {
        await drop(project, result, dir, () => rm(dir, { force: true }));
        continue;
      }
      const claim = await claimFolder(dir, stageLockName);
      if (claim) claimed.set(dir, claim);
      else
        keep(
          project,
          result,
          dir,
          `a process works on it: ${inEnglish(await holderWords(path.join(dir, stageLockName)))}`,
        );
    }
    const needed = await neededStages(project);
    for (const [dir, claim] of claimed)
      if (!needed.has(path.relative(project.stages, dir)))
        await drop(project, result, dir, () => claim.remove("result.json"));
  } finally {
    for (const claim of claimed.values()) claim.letGo();
  }
}

async function neededStages(project: Project): Promise<Set<string>> {
  const { runs, unreadable } = await readRuns(project);
  if (unreadable[0]) {
    throw new LeafError(
      "failed",
      say`${unreadable[0]} cannot be read, so LEAF does not know which stages it needs.`,
      {
        file: unreadable[0],
        remedy: say`Restore that file, or remove the run's folder, and clean again.`,
      },
    );
  }
  const needed = new Set<string>();
  for (const run of runs) {
    for (const name of stageNames) {
      const key = run.stages[name]?.key;
      if (key) needed.add(path.join(name, key));
      if (key && name === "label")
        for (const labels of await labelsOfTargets(project, key)) needed.add(path.join(name, labels));
    }
    if (run.distilledEvaluation) needed.add(path.join("evaluate", run.distilledEvaluation));
  }
  return needed;
}

const targetInputs = z.looseObject({ targets: z.array(z.looseObject({ labels: stageKey })).default([]) });

/** The label stages of the targets beside the main one, which its own stands on. */
async function labelsOfTargets(project: Project, key: string): Promise<string[]> {
  const read = targetInputs.safeParse((await readResult(project, "label", key))?.inputs);
  return read.success ? read.data.targets.map(({ labels }) => labels) : [];
}

/** Tensors of finished trainings go also while an editor window shows the images, which keeps the rest. */
async function removeCache(project: Project, result: CleanResult): Promise<void> {
  if (!existsSync(project.cache)) return;
  const isEmpty = await removeTensors(project, result);
  const lock = await waitForLock(cacheLockFile(project));
  if (!lock) {
    keep(project, result, project.cache, "a stage uses it, or an editor window that shows this folder");
    return;
  }
  try {
    const names = isEmpty ? [""] : (await namesIn(project.cache)).filter((name) => name !== tensorsName);
    for (const name of names) {
      const target = path.join(project.cache, name);
      await drop(project, result, target, () => rm(target, { recursive: true, force: true }));
    }
  } finally {
    lock.release();
  }
}

/** True where none is left. */
async function removeTensors(project: Project, result: CleanResult): Promise<boolean> {
  const tensors = path.join(project.cache, tensorsName);
  let isEmpty = true;
  for (const name of await namesIn(tensors)) {
    if (isTensorLockFile(name)) continue;
    const dir = path.join(tensors, name);
    const lock = await waitForLock(tensorLockFile(dir));
    if (!lock) {
      isEmpty = false;
      keep(project, result, dir, "a training reads it");
      continue;
    }
    try {
      await drop(project, result, dir, () => rm(dir, { recursive: true, force: true }));
    } finally {
      lock.release();
    }
  }
  return isEmpty;
}

function keep(project: Project, result: CleanResult, target: string, reason: string): void {
  result.kept.push({ path: path.relative(project.leaf, target), reason });
}

async function drop(
  project: Project,
  result: CleanResult,
  target: string,
  remove: () => Promise<void>,
): Promise<void> {
  const bytes = await sizeOf(target);
  try {
    await remove();
    result.bytes += bytes;
    result.removed.push(path.relative(project.leaf, target));
  } catch (error) {
    keep(project, result, target, messageOf(error));
  }
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => []);
}

async function sizeOf(target: string): Promise<number> {
  const info = await lstat(target).catch(() => undefined);
  if (!info) return 0;
  if (!info.isDirectory()) return info.size;
  let sum = 0;
  for (const name of await namesIn(target)) sum += await sizeOf(path.join(target, name));
  return sum;
}
