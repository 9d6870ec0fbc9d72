import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { explainFileSystemError, LeafError } from "../errors.ts";

/** One image file of the dataset. */
export interface IndexedFile {
  /** Relative to the config's folder, with forward slashes. */
  path: string;
  size: number;
  mtimeMs: number;
  /** null if the file could not be read at all. */
  hash: string | null;
  format: string | null;
  /** Pixels after the EXIF orientation. */
  width: number | null;
  height: number | null;
  /** Why it is not an image that can be used; null for a good one. */
  error: string | null;
  /** Something worth telling about a usable file, such as "named .png, is JPEG". */
  note: string | null;
}

/** A usable image: its first path stands for all its copies. */
export interface IndexedImage extends IndexedFile {
  hash: string;
  format: string;
  width: number;
  height: number;
}

export const columns = "path, size, mtimeMs, hash, format, width, height, error, note";
const schemaVersion = 1;

const schema = `
  CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtimeMs REAL NOT NULL, hash TEXT, format TEXT, width INTEGER,
    height INTEGER, error TEXT, note TEXT, seen INTEGER NOT NULL, name TEXT NOT NULL, stem TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX files_by_hash ON files (hash, path);
  CREATE INDEX files_by_name ON files (name);
  CREATE INDEX files_by_stem ON files (stem);
  PRAGMA user_version = ${schemaVersion};
`;

/** Opens the index for writing; makes it if there is none, and anew if it is damaged or of another version. */
export function openForScan(indexFile: string): DatabaseSync {
  try {
    mkdirSync(path.dirname(indexFile), { recursive: true });
    try {
      return openWithSchema(indexFile);
    } catch (error) {
      if (!isDamage(error)) throw error;
      removeIndex(indexFile);
      return openWithSchema(indexFile);
    }
  } catch (error) {
    throw explainFileSystemError(error, "open", indexFile);
  }
}

function openWithSchema(indexFile: string): DatabaseSync {
  const db = new DatabaseSync(indexFile, { timeout: 10_000 });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000;");
    const version = userVersion(db);
    const empty = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n === 0;
    if (empty) db.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    else if (version !== schemaVersion) throw new DamagedIndex();
    else db.prepare(`SELECT ${columns}, seen, name, stem FROM files LIMIT 1`).get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens the index for reading. Throws a LeafError `failed` if there is none that can be read. */
export function openForReading(indexFile: string): DatabaseSync {
  try {
    const db = new DatabaseSync(indexFile, { readOnly: true, timeout: 10_000 });
    try {
      if (userVersion(db) !== schemaVersion) throw new DamagedIndex();
      db.prepare(`SELECT ${columns} FROM files LIMIT 1`).get();
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw new LeafError("failed", `The image index ${indexFile} cannot be read.`, {
      file: indexFile,
      remedy: "Delete .leaf/cache and run the same command again.",
      cause: error,
    });
  }
}

function userVersion(db: DatabaseSync): unknown {
  return db.prepare("PRAGMA user_version").get()?.user_version;
}

export function removeIndex(indexFile: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(indexFile + suffix, { force: true });
}

class DamagedIndex extends Error {}

/** SQLITE_ERROR (a column is missing), SQLITE_CORRUPT and SQLITE_NOTADB: the file is not the index it should be. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedIndex) return true;
  return error instanceof Error && "errcode" in error && [1, 11, 26].includes(Number(error.errcode) & 0xff);
}
