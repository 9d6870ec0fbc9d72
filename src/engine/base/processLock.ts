import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "../../words/text.ts";
import { errnoCode, explainFileSystemError, LeafError, messageOf, throwIfCancelled } from "./errors.ts";
import { isBusy } from "./sqlite.ts";

export interface ProcessLock {
  release(): void;
}

/** `exclusive`: one process alone. `shared`: any number at a time, and no exclusive one meanwhile. */
export type LockMode = "exclusive" | "shared";

const tries = 3;

/**
 * Takes a lock that the operating system gives back when its process ends, however it ends; undefined where another has it.
 * Throws LeafErrors `failed` where its file cannot be made. Node has no flock: SQLite's lock on an empty database is one on every system. Its file may be removed by who holds it alone.
 */
export function tryProcessLock(file: string, mode: LockMode = "exclusive"): ProcessLock | undefined {
  for (let attempt = 0; attempt < tries; attempt++) {
    createIfMissing(file);
    const before = fileId(file);
    const lock = lockNow(file, mode);
    if (!lock) return undefined;
    // Removed, or made anew, since it was opened: what is locked is not what others will look at.
    if (before !== undefined && fileId(file) === before) return lock;
    lock.release();
  }
  return undefined;
}

export interface WaitOptions {
  mode?: LockMode;
  /** At least for a moment: who asks whether a lock is held may be in the way. */
  waitMs?: number;
  signal?: AbortSignal;
}

/**
 * The same, but waits for it; undefined where another has it all that time. Throws LeafError `environment` where the file system
 * cannot lock files, and `cancelled`.
 */
export async function waitForLock(
  file: string,
  { mode = "exclusive", waitMs = 150, signal }: WaitOptions = {},
): Promise<ProcessLock | undefined> {
  const end = performance.now() + waitMs;
  for (;;) {
    throwIfCancelled(signal);
    const lock = tryProcessLock(file, mode);
    if (lock) return lock;
    if (performance.now() > end) break;
    await sleep(10 + Math.random() * Math.min(60, waitMs / 4));
  }
  refuseWithoutLocks(file);
  return undefined;
}

/** Whether some process holds the lock alone. Asks without taking it, so that it is in another's way for an instant only. */
export function isProcessLocked(file: string): boolean {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    db.exec("SELECT 1 FROM sqlite_schema");
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    db?.close();
  }
}

function lockNow(file: string, mode: LockMode): ProcessLock | undefined {
  const db = new DatabaseSync(file, { timeout: 0, open: false });
  try {
    db.open();
    // Read once, a transaction keeps the shared lock to its end.
    db.exec(mode === "exclusive" ? "BEGIN EXCLUSIVE" : "BEGIN; SELECT 1 FROM sqlite_schema");
  } catch (error) {
    if (db.isOpen) db.close();
    if (isBusy(error)) return undefined;
    throw new LeafError("failed", say`Cannot lock ${file}: ${messageOf(error)}.`, {
      file,
      remedy: say`Check that it is a file, and that its folder can be written to.`,
      cause: error,
    });
  }
  return { release: () => db.isOpen && db.close() };
}

/** Some network file systems refuse every lock, in the same words as a lock that another holds. */
function refuseWithoutLocks(file: string): void {
  const probe = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    const lock = tryProcessLock(probe);
    lock?.release();
    if (lock) return;
  } finally {
    rmSync(probe, { force: true });
  }
  rmSync(file, { force: true });
  throw new LeafError("environment", say`The file system of ${path.dirname(file)} cannot lock files.`, {
    file,
    remedy: say`Move the project to a local disk, or mount the network share with locks.`,
  });
}

/** Not by opening what is there: closing it again would give back the locks that this process has on it. */
function createIfMissing(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    closeSync(openSync(file, "wx"));
  } catch (error) {
    if (errnoCode(error) !== "EEXIST") throw explainFileSystemError(error, "create", file);
  }
}

function fileId(file: string): string | undefined {
  const info = statSync(file, { bigint: true, throwIfNoEntry: false });
  return info && `${info.dev}:${info.ino}`;
}
