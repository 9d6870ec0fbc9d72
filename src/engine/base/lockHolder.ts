import { rmSync } from "node:fs";
import { lstat, readdir, rm, rmdir } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import type { ProcessIdentity } from "../../protocol/processes.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { writeJson } from "./files.ts";
import { readJsonAs } from "./json.ts";
import { couldBeSeen, isIdentity, ownIdentity, stillRuns } from "./processIdentity.ts";
import { isProcessLocked, type ProcessLock, type WaitOptions, waitForLock } from "./processLock.ts";

/** Who holds a lock, for messages and for who wants to signal it; the lock itself says whether somebody does. */
export interface LockHolder {
  v: 1;
  process: ProcessIdentity;
  /** When it took the lock. */
  since: string;
}

const holderFile = (file: string) => `${file}.json`;

/** Takes a lock and writes beside it who has it. Undefined and throws as waitForLock(). */
export async function holdLock(file: string, options: WaitOptions = {}): Promise<ProcessLock | undefined> {
  const lock = await waitForLock(file, options);
  const own = lock && (await ownIdentity());
  if (!lock || !own) return lock;
  const holder: LockHolder = { v: 1, process: own, since: new Date().toISOString() };
  // On a full disk the lock counts all the same.
  await writeJson(holderFile(file), holder).catch(() => {});
  return {
    release() {
      rmSync(holderFile(file), { force: true });
      lock.release();
    },
  };
}

/** Who holds a lock; undefined where nobody does, and where that is not known or not to be seen from here. */
export async function holderOf(file: string): Promise<LockHolder | undefined> {
  if (!isProcessLocked(file)) return undefined;
  const holder = await readHolder(file);
  return holder && (await stillRuns(holder.process)) ? holder : undefined;
}

/** Who holds a lock, in words. */
export async function holderWords(file: string): Promise<Text> {
  const holder = await readHolder(file);
  // Left by one that was killed: another holds it, and has not said so.
  const isOld = holder && (await couldBeSeen(holder.process)) && !(await stillRuns(holder.process));
  if (!holder || isOld) return say`another process`;
  const { pid, host } = holder.process;
  const since = `${holder.since.slice(0, 16).replace("T", " ")} UTC`;
  return host === os.hostname()
    ? say`process ${pid}, since ${since}`
    : say`process ${pid} on ${host}, since ${since}`;
}

const holderSchema = z.object({
  v: z.literal(1),
  process: z.unknown(),
  since: z.string().max(40),
});

async function readHolder(file: string): Promise<LockHolder | undefined> {
  const holder = await readJsonAs(holderFile(file), holderSchema).catch(() => undefined);
  return holder && isIdentity(holder.process) ? { ...holder, process: holder.process } : undefined;
}

/** A folder that nobody works in, and nobody can begin to before it is removed or let go. */
export interface ClaimedFolder {
  /** `first`: the file that says that it is whole goes first, so that what is left of it after a cut is not taken for whole. */
  remove(first?: string): Promise<void>;
  letGo(): void;
}

/** Claims a folder whose owner holds the lock `name` in it while it works there. Undefined where somebody does. */
export async function claimFolder(dir: string, name: string): Promise<ClaimedFolder | undefined> {
  // What a link leads to is not ours.
  if (!(await lstat(dir)).isDirectory()) return undefined;
  const file = path.join(dir, name);
  const lock = await waitForLock(file);
  if (!lock) return undefined;
  return {
    letGo: lock.release,
    async remove(first) {
      try {
        if (first) await rm(path.join(dir, first), { force: true });
        for (const entry of await readdir(dir))
          if (entry !== name) await rm(path.join(dir, entry), { recursive: true, force: true });
        // Where open files cannot be removed, the lock has to be given back before.
        if (process.platform === "win32") lock.release();
        await rm(file, { force: true });
      } finally {
        lock.release();
      }
      // Not with its contents: somebody may have begun anew in it.
      await rmdir(dir).catch(() => {});
    },
  };
}
