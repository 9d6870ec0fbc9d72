import { rmSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { errnoCode, isCancelled, LeafError, messageOf } from "../errors.ts";
import { writeFileAtomic } from "../files.ts";
import { isAlive } from "../processes.ts";
import type { Project } from "../project.ts";
import { makeStageDir, type StageName, stageDir } from "./stage.ts";

const lockName = "running.pid";
const failureName = "failed.txt";

/**
 * Runs a stage's work while holding its folder, so that two commands never write the same output. A lock of a process that
 * has died is taken over. A failure is left as `failed.txt` for `leaf status`; a cancelled stage is merely unfinished.
 */
export async function holdingStage<T>(
  project: Project,
  stage: StageName,
  key: string,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await makeStageDir(project, stage, key);
  const lock = path.join(dir, lockName);
  await acquire(lock, stage);
  const release = () => rmSync(lock, { force: true });
  process.once("exit", release);
  try {
    await rm(path.join(dir, failureName), { force: true });
    return await work(dir);
  } catch (error) {
    if (!isCancelled(error))
      await writeFileAtomic(path.join(dir, failureName), `${messageOf(error)}\n`).catch(() => {});
    throw error;
  } finally {
    process.off("exit", release);
    release();
  }
}

export async function stageActivity(
  project: Project,
  stage: StageName,
  key: string,
): Promise<{ running: boolean; failure?: string }> {
  const dir = stageDir(project, stage, key);
  const pid = Number(await readFile(path.join(dir, lockName), "utf8").catch(() => "0"));
  const failure = await readFile(path.join(dir, failureName), "utf8").catch(() => undefined);
  return { running: isAlive(pid), failure: failure?.trim() };
}

async function acquire(lock: string, stage: StageName): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(lock, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return;
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw error;
      const pid = Number(await readFile(lock, "utf8").catch(() => "0"));
      if (isAlive(pid)) {
        throw new LeafError("failed", `The ${stage} stage is already running (process ${pid}).`, {
          remedy: "Wait for it, or stop that process.",
        });
      }
      await rm(lock, { force: true });
    }
  }
  throw new LeafError("failed", `The ${stage} stage was started elsewhere at the same moment.`, {
    remedy: "Run the command again.",
  });
}
