import { mkdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { say } from "../../../words/text.ts";
import { explainFileSystemError, LeafError } from "../../base/errors.ts";
import { corrupt, isDamage, otherLayout, sqliteCode } from "../../base/sqlite.ts";

/** Where the images of a config are, and their index. */
export interface IndexPlace {
  /** Folder of the config. */
  root: string;
  /** Folders and globs, as in the config. */
  images: string | string[];
  indexFile: string;
  /** Larger images are no usable ones: see `maxPixelsOf`. */
  maxPixels?: number;
}

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
const schemaVersion = 2;

const schema = `
  CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtimeMs REAL NOT NULL, hash TEXT, format TEXT, width INTEGER,
    height INTEGER, error TEXT, note TEXT, seen INTEGER NOT NULL, name TEXT NOT NULL, stem TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX files_by_hash ON files (hash, path);
  CREATE INDEX files_by_name ON files (name);
  CREATE INDEX files_by_stem ON files (stem);
  CREATE INDEX files_with_note ON files (path) WHERE note IS NOT NULL;
  CREATE TABLE judged (maxPixels REAL NOT NULL);
  CREATE TABLE decoded (hash TEXT PRIMARY KEY, decoder TEXT NOT NULL, problem TEXT, note TEXT) WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`;
/** Came later: an index without them is complete but for what it tells of places and twins. */
const laterSchema = `
  CREATE TABLE IF NOT EXISTS places (
    path TEXT PRIMARY KEY, kind TEXT NOT NULL, reason TEXT NOT NULL, seen INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS looks (
    hash TEXT PRIMARY KEY, version INTEGER NOT NULL, look BLOB, signature BLOB, compared INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS twins (a TEXT NOT NULL, b TEXT NOT NULL, alike REAL NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID;
`;

/** An index that is open for writing. */
export interface OpenIndexFile {
  db: DatabaseSync;
  /** Whether the file is not this one any more: others removed it, and what is written here is lost. */
  isReplaced(): boolean;
  /** Removes the file, which is damaged, unless others have done so. */
  discard(): void;
}

const busyMs = 10_000;

/** Opens the index for writing; makes it if there is none, and anew if it is damaged or of another version. */
export function openForScan(indexFile: string): DatabaseSync {
  return openIndexFile(indexFile).db;
}

export function openIndexFile(indexFile: string): OpenIndexFile {
  try {
    mkdirSync(path.dirname(indexFile), { recursive: true });
    return alone(indexFile, () => {
      let db: DatabaseSync;
      try {
        db = openWithSchema(indexFile);
      } catch (error) {
        if (!isDamage(error)) throw error;
        removeFiles(indexFile);
        db = openWithSchema(indexFile);
      }
      const identity = identityOf(indexFile);
      const isReplaced = () => identityOf(indexFile) !== identity;
      return {
        db,
        isReplaced,
        discard() {
          db.close();
          alone(indexFile, () => {
            if (!isReplaced()) removeFiles(indexFile);
          });
        },
      };
    });
  } catch (error) {
    throw explainFileSystemError(error, "open", indexFile);
  }
}

/**
 * One process at a time makes, opens or removes an index: a file that is removed under one who just opens it would take the
 * journal of the next with it. The lock is one of SQLite's, on a file beside it: it ends with its process.
 */
function alone<T>(indexFile: string, work: () => T): T {
  const lock = new DatabaseSync(`${indexFile}.lock`, { timeout: busyMs });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return work();
  } finally {
    lock.close();
  }
}

function openWithSchema(indexFile: string): DatabaseSync {
  const db = new DatabaseSync(indexFile, { timeout: busyMs });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000;");
    db.exec("BEGIN IMMEDIATE");
    const isEmpty = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n === 0;
    if (isEmpty) db.exec(schema);
    else if (userVersion(db) !== schemaVersion) throw new DamagedIndex();
    db.exec(`${laterSchema} COMMIT`);
    db.prepare(`SELECT ${columns}, seen, name, stem FROM files LIMIT 1`).get();
    db.prepare("SELECT path, kind, reason, seen FROM places LIMIT 1").get();
    return db;
  } catch (error) {
    db.close();
    throw isWrongTable(error) ? new DamagedIndex() : error;
  }
}

/** Opens the index for reading. Throws a LeafError `failed` if there is none that can be read. */
export function openForReading(indexFile: string): DatabaseSync {
  try {
    const db = new DatabaseSync(indexFile, { readOnly: true, timeout: busyMs });
    try {
      if (userVersion(db) !== schemaVersion) throw new DamagedIndex();
      db.prepare(`SELECT ${columns} FROM files LIMIT 1`).get();
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw new LeafError("failed", say`The image index ${indexFile} cannot be read.`, {
      file: indexFile,
      remedy: say`Delete .leaf/cache and run the same command again.`,
      cause: error,
    });
  }
}

/** Whether the index tells of places: one of an older LEAF that nobody has written to since does not. */
export function hasPlaces(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'places'").get() !== undefined;
}

function userVersion(db: DatabaseSync): unknown {
  return db.prepare("PRAGMA user_version").get()?.user_version;
}

/** The journal first: a new file must not meet the old one's. */
function removeFiles(indexFile: string): void {
  for (const suffix of ["-wal", "-shm", ""]) rmSync(indexFile + suffix, { force: true });
}

function identityOf(indexFile: string): string {
  const stats = statSync(indexFile, { throwIfNoEntry: false });
  return stats ? `${stats.dev} ${stats.ino} ${stats.birthtimeMs}` : "";
}

class DamagedIndex extends Error {
  /** As SQLite says it. */
  readonly errcode = corrupt;
}

/** SQLITE_ERROR: a table or a column is missing. */
function isWrongTable(error: unknown): boolean {
  return sqliteCode(error) === otherLayout;
}
