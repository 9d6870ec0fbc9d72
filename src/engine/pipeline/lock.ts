import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { StageName } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import { holderWords, holdLock } from "../base/lockHolder.ts";
import { isProcessLocked, waitForLock } from "../base/processLock.ts";
import { explained } from "../base/unexpected.ts";
import type { Project } from "../config/project.ts";
import { makeStageDir, stageDir } from "./stage.ts";

/** Held as long as a process works on the stage; the system gives it back when that ends, however it ends. */
export const stageLockName = "running.lock";
/** What former versions wrote: a process id, which says nothing once it has been given again. */
const formerLockName = "running.pid";
const failureName = "failed.txt";

/**
 * Runs a stage's work while holding its folder, so that two commands never write the same output, and none removes it. A failure
 * is left as `failed.txt` for `leaf status`; a cancelled stage is merely unfinished.
 */
export async function holdingStage<T>(
  project: Project,
  stage: StageName,
  key: string,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await makeStageDir(project, stage, key);
  const lock = await holdLock(path.join(dir, stageLockName));
  if (!lock) throw await runsAlready(dir, stage);
  try {
    await rm(path.join(dir, formerLockName), { force: true });
    await rm(path.join(dir, failureName), { force: true });
    return await work(dir);
  } catch (error) {
    const { code, message } = explained(error, { doing: say`${stage} was at work` });
    if (code !== "cancelled")
      await writeFileAtomic(path.join(dir, failureName), `${message}\n`).catch(() => {});
    throw error;
  } finally {
    lock.release();
  }
}

/** Runs `work` while a stage's folder cannot be removed. Another process may be at the stage itself, which keeps it as well. */
export async function keepingStage<T>(
  project: Project,
  stage: StageName,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await waitForLock(path.join(stageDir(project, stage, key), stageLockName), { mode: "shared" });
  try {
    return await work();
  } finally {
    lock?.release();
  }
}

export async function stageActivity(
  project: Project,
  stage: StageName,
  key: string,
): Promise<{ running: boolean; failure?: string }> {
  const dir = stageDir(project, stage, key);
  const failure = await readFile(path.join(dir, failureName), "utf8").catch(() => undefined);
  return { running: isStageRunning(project, stage, key), failure: failure?.trim() };
}

export function isStageRunning(project: Project, stage: StageName, key: string): boolean {
  return isProcessLocked(path.join(stageDir(project, stage, key), stageLockName));
}

async function runsAlready(dir: string, stage: StageName): Promise<LeafError> {
  const who = await holderWords(path.join(dir, stageLockName));
  return new LeafError("failed", say`The ${stage} stage is already running (${who}).`, {
    remedy: say`Wait for it, or stop that process.`,
  });
}
