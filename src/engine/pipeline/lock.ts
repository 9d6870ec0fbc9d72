import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Failure } from "../../protocol/jobs.ts";
import type { StageName } from "../../protocol/results.ts";
import { failure as failureSchema } from "../../protocol/schema/jobs.ts";
import type { Text } from "../../protocol/text.ts";
import { quoted, say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { writeJson } from "../base/files.ts";
import { readJsonAs } from "../base/json.ts";
import { holderWords, holdLock } from "../base/lockHolder.ts";
import { isProcessLocked, waitForLock } from "../base/processLock.ts";
import { failureOf } from "../base/unexpected.ts";
import type { Project } from "../config/project.ts";
import { makeStageDir, stageDir } from "./stage.ts";

/** Held as long as a process works on the stage; the system gives it back when that ends, however it ends. */
export const stageLockName = "running.lock";
/** What former versions wrote: a process id, which says nothing once it has been given again. */
const formerLockName = "running.pid";
const failureName = "failed.json";
/** Former versions kept the English sentence alone. */
const formerFailureName = "failed.txt";

/**
 * Runs a stage's work while holding its folder, so that two commands never write the same output, and none removes it. A failure
 * is left as `failed.json` for `leaf status`; a cancelled stage is merely unfinished.
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
    for (const name of [formerLockName, failureName, formerFailureName])
      await rm(path.join(dir, name), { force: true });
    return await work(dir);
  } catch (error) {
    const failure = failureOf(error, { doing: say`${stage} was at work` });
    if (failure.code !== "cancelled") await writeJson(path.join(dir, failureName), failure).catch(() => {});
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
): Promise<{ running: boolean; failure?: Text }> {
  const dir = stageDir(project, stage, key);
  return { running: isStageRunning(project, stage, key), failure: await readFailure(dir) };
}

async function readFailure(dir: string): Promise<Text | undefined> {
  const told = await readJsonAs<Failure>(path.join(dir, failureName), failureSchema).catch(() => undefined);
  if (told) return told.words?.message ?? quoted(told.message);
  const former = await readFile(path.join(dir, formerFailureName), "utf8").catch(() => undefined);
  return former === undefined ? undefined : quoted(former.trim());
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
