import { mkdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface ProcessLock {
  release(): void;
}

/**
 * Takes a lock that the operating system gives back when its process ends, however it ends; undefined where another has it.
 * Node has no flock: SQLite's lock on an empty database is one on every system. Not for network file systems.
 */
export function tryProcessLock(file: string): ProcessLock | undefined {
  mkdirSync(path.dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    throw error;
  }
  return { release: () => db.isOpen && db.close() };
}

/** Whether some process holds the lock. Asks without taking it, so that it never gets in another's way. */
export function isProcessLocked(file: string): boolean {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    db.exec("SELECT 1 FROM sqlite_schema");
    return false;
  } catch (error) {
    return error instanceof Error && /locked|busy/i.test(error.message);
  } finally {
    db?.close();
  }
}
