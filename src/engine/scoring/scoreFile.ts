import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { explainDatabaseError, isDamage } from "../base/sqlite.ts";
import { scoresSchema } from "./context.ts";

const schemaVersion = 3;
const columns = "scorer, hash, score, excellent, good, fair, poor, bad, confidence, distance, sd";

/** Opens the file of scores for writing; it is only a cache, so a damaged one or one of another version is made anew. */
export function openScoreDatabase(file: string): DatabaseSync {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const opened = tryOpen(file);
    if (opened) return opened;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    const made = tryOpen(file);
    if (made) return made;
    throw new Error(`${file} cannot be made.`);
  } catch (error) {
    throw explainDatabaseError(error, file);
  }
}

/** undefined: the file is not what it should be. */
function tryOpen(file: string): DatabaseSync | undefined {
  const db = new DatabaseSync(file, { timeout: 10_000 });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000;");
    db.exec("BEGIN IMMEDIATE");
    const { version, tables } = db
      .prepare(
        "SELECT user_version AS version, (SELECT count(*) FROM sqlite_schema) AS tables FROM pragma_user_version",
      )
      .get() as { version: number; tables: number };
    if (tables === 0) db.exec(scoresSchema);
    db.exec("COMMIT");
    if (tables > 0 && version !== schemaVersion) {
      db.close();
      return undefined;
    }
    db.prepare(`SELECT ${columns} FROM scores LIMIT 1`).get();
    return db;
  } catch (error) {
    db.close();
    if (isDamage(error)) return undefined;
    throw error;
  }
}
