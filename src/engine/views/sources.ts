import { type Stats, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { explainDatabaseError } from "../base/sqlite.ts";
import type { Project } from "../config/project.ts";
import { storeFault } from "../labels/schema.ts";

export type SourceName = "dataset" | "labels" | "scores";

/**
 * One connection that reads the image index (`dataset.files`), the labels (`labels.*`) and the scores (`scores.scores`). Any
 * of the three may be missing, come later, or be made anew: what is missing reads as empty.
 */
export interface Sources {
  db: DatabaseSync;
  /** Prepared once. Call `refresh` before the first statement of a request. */
  prepare(sql: string): StatementSync;
  /** Attaches files that came or were replaced. A few microseconds where nothing changed. */
  refresh(): void;
  /** Another text after every change of a source. */
  version(name: SourceName): string;
  close(): void;
}

const standIns: Record<SourceName, string> = {
  dataset: `CREATE TABLE dataset.files (path TEXT PRIMARY KEY, size, mtimeMs, hash TEXT, format, width, height, error);
    CREATE INDEX dataset.files_by_hash ON files (hash, path)`,
  labels: `CREATE TABLE labels.images (id INTEGER PRIMARY KEY, hash TEXT UNIQUE);
    CREATE TABLE labels.teachers (id INTEGER PRIMARY KEY, fingerprint TEXT UNIQUE);
    CREATE TABLE labels.points (id INTEGER PRIMARY KEY, image_id, teacher_id, status, score, excellent, good, fair, poor, bad,
      mass, confidence, UNIQUE (image_id, teacher_id));
    CREATE TABLE labels.pairs (id INTEGER PRIMARY KEY, a_id, b_id, teacher_id, status, p, p_ab, p_ba, position_bias,
      confidence, UNIQUE (a_id, b_id, teacher_id))`,
  scores: `CREATE TABLE scores.scores (scorer TEXT, hash TEXT, score REAL, excellent, good, fair, poor, bad, confidence, distance, sd,
      PRIMARY KEY (scorer, hash)) WITHOUT ROWID;
    CREATE INDEX scores.scores_by_score ON scores (scorer, score)`,
};

/** A table that tells a finished database from one that is being made. */
const witness: Record<SourceName, string> = { dataset: "files", labels: "pairs", scores: "scores" };

const needed = {
  dataset: ["path", "size", "mtimeMs", "hash", "format", "width", "height", "error"],
  scores: [
    "scorer",
    "hash",
    "score",
    "excellent",
    "good",
    "fair",
    "poor",
    "bad",
    "confidence",
    "distance",
    "sd",
  ],
};

/** Longer waits would keep the server from answering anything else. */
const busyMs = 500;
/** Of each file; the default of 2 MB is read over and over where rows are looked up by hash. */
const cacheKiB = 24_000;

export function openSources(project: Project): Sources {
  const files: Record<SourceName, string> = {
    dataset: project.indexFile,
    labels: project.labelsFile,
    scores: path.join(project.cache, "scores.sqlite"),
  };
  const db = new DatabaseSync(":memory:", { timeout: busyMs });
  db.exec("PRAGMA trusted_schema = OFF");
  const statements = new Map<string, StatementSync>();
  const attached = new Map<SourceName, string>();
  let attachments = 0;

  function attach(name: SourceName): void {
    const file = files[name];
    const identity = identityOf(file);
    const before = attached.get(name);
    if (before !== undefined && before === identity) return;
    statements.clear();
    if (before !== undefined) db.exec(`DETACH ${name}`);
    attached.delete(name);
    attachments++;
    if (identity !== absent) {
      try {
        db.exec(`ATTACH ${quoted(`${pathToFileURL(file).href}?mode=ro`)} AS ${name}`);
        if (isWhole(name)) {
          db.exec(`PRAGMA ${name}.cache_size = -${cacheKiB}`);
          attached.set(name, identity);
          return;
        }
        db.exec(`DETACH ${name}`);
      } catch (error) {
        if (db.prepare("SELECT 1 FROM pragma_database_list WHERE name = ?").get(name))
          db.exec(`DETACH ${name}`);
        if (!isUnready(error)) throw explainDatabaseError(error, file);
      }
    }
    db.exec(`ATTACH ':memory:' AS ${name}; ${standIns[name]}`);
    attached.set(name, absent);
  }

  /** A file with other tables, or with views in their place, reads as empty like one that is being made. */
  function isWhole(name: SourceName): boolean {
    const table = db
      .prepare(`SELECT rootpage FROM ${name}.sqlite_schema WHERE type = 'table' AND name = ?`)
      .get(witness[name]);
    if (!table || Number(table.rootpage) === 0) return false;
    if (name === "labels") return storeFault(db, "labels") === undefined;
    const found = db.prepare("SELECT name FROM pragma_table_info(?, ?)").all(witness[name], name);
    return needed[name].every((column) => found.some((one) => one.name === column));
  }

  const sources: Sources = {
    db,
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        statement = db.prepare(sql);
        statements.set(sql, statement);
      }
      return statement;
    },
    refresh() {
      attach("dataset");
      attach("labels");
      attach("scores");
    },
    version: (name) =>
      `${attachments}:${String(sources.prepare(`PRAGMA ${name}.data_version`).get()?.data_version)}`,
    close() {
      if (db.isOpen) db.close();
    },
  };
  return sources;
}

const absent = "absent";

/** A file that was deleted and made anew is another one. */
function identityOf(file: string): string {
  const stats: Stats | undefined = statSync(file, { throwIfNoEntry: false });
  return stats ? `${stats.dev}:${stats.ino}:${stats.birthtimeMs}` : absent;
}

/** SQLITE_CANTOPEN and SQLITE_NOTADB, SQLITE_CORRUPT: gone, or a cache that its owner will make anew. */
function isUnready(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && [11, 14, 26].includes(Number(error.errcode) & 0xff);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
