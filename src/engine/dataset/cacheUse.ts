import path from "node:path";
import { say } from "../../words/text.ts";
import { isCancelled, LeafError } from "../base/errors.ts";
import { type ProcessLock, waitForLock } from "../base/processLock.ts";
import type { Project } from "../config/project.ts";

/** Beside the cache, since `leaf clean --cache` removes what is in it. */
export const cacheLockFile = (project: Pick<Project, "leaf">) => path.join(project.leaf, "cache.lock");

/** Of one folder of tensors, beside it: its trainings share it, who decodes for them has it alone. */
export const tensorLockFile = (dir: string) => `${dir}${lockSuffix}`;
const lockSuffix = ".lock";
export const isTensorLockFile = (name: string) => name.endsWith(lockSuffix);

const nothing: ProcessLock = { release() {} };
/** Longer than it takes to remove a large cache from a slow disk. */
const patienceMs = 120_000;

/**
 * Says that this process reads or writes the cache until the lock is released: meanwhile `leaf clean --cache` leaves it. Waits for
 * one that is removing it.
 */
export async function useCache(project: Pick<Project, "leaf">, signal?: AbortSignal): Promise<ProcessLock> {
  const options = { mode: "shared", waitMs: patienceMs, signal } as const;
  const lock = await waitForLock(cacheLockFile(project), options).catch((error) => {
    if (isCancelled(error)) throw error;
    return nothing; // It cannot be written here, so it cannot be removed either.
  });
  if (lock) return lock;
  throw new LeafError("failed", say`\`leaf clean --cache\` has been removing the cache for two minutes.`, {
    remedy: say`Wait for it, or stop it, then run the command again.`,
  });
}
