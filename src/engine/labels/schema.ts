import { mkdirSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { openGuarded } from "../base/guardedDatabase.ts";
import { explainDatabaseError } from "../base/sqlite.ts";
import { ratingWords } from "../teachers/judgement.ts";

/** Each step brings a store from version i to i + 1; `PRAGMA user_version` says where it stands. */
const migrations = [
  `CREATE TABLE images(id INTEGER PRIMARY KEY, hash TEXT UNIQUE NOT NULL);
   CREATE TABLE teachers(
     id INTEGER PRIMARY KEY, fingerprint TEXT UNIQUE NOT NULL, kind TEXT NOT NULL,
     description TEXT NOT NULL, created_at INTEGER NOT NULL);
   CREATE TABLE points(
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     image_id INTEGER NOT NULL REFERENCES images(id), teacher_id INTEGER NOT NULL REFERENCES teachers(id),
     status TEXT NOT NULL CHECK (status IN ('ok', 'failed')), score REAL,
     excellent REAL, good REAL, fair REAL, poor REAL, bad REAL, mass REAL, confidence REAL,
     reason TEXT, created_at INTEGER NOT NULL, UNIQUE(image_id, teacher_id));
   CREATE TABLE pairs(
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     a_id INTEGER NOT NULL REFERENCES images(id), b_id INTEGER NOT NULL REFERENCES images(id),
     teacher_id INTEGER NOT NULL REFERENCES teachers(id),
     status TEXT NOT NULL CHECK (status IN ('ok', 'failed')), p REAL, p_ab REAL, p_ba REAL,
     position_bias REAL, confidence REAL, reason TEXT, created_at INTEGER NOT NULL,
     UNIQUE(a_id, b_id, teacher_id));`,
  `CREATE TABLE reasons(
     image_id INTEGER NOT NULL REFERENCES images(id), teacher_id INTEGER NOT NULL REFERENCES teachers(id),
     text TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY(image_id, teacher_id)) WITHOUT ROWID;`,
  `ALTER TABLE points ADD COLUMN samples TEXT;
   ALTER TABLE pairs ADD COLUMN samples TEXT;`,
];

export const schemaVersion = migrations.length;

export interface StoreOptions {
  readOnly?: boolean;
  /** How long each access waits for another process that holds the store. Nothing else happens meanwhile. */
  waitMs?: number;
}

/**
 * Opens a label store and brings its schema up to date. WAL lets Python read while the engine writes.
 * Throws LeafError `failed` for a damaged store, one of a newer LEAF, or one that cannot be written.
 */
export function openDatabase(file: string, options: StoreOptions = {}): DatabaseSync {
  const { readOnly = false, waitMs = busyMs } = options;
  let db: DatabaseSync | undefined;
  try {
    if (!readOnly) mkdirSync(path.dirname(file), { recursive: true });
    db = openGuarded(file, { readOnly, timeout: waitMs });
    const { version, tables } = stateOf(db);
    if (version > schemaVersion) {
      throw new LeafError("failed", say`${file} was written by a newer version of LEAF.`, {
        file,
        remedy: say`Update LEAF.`,
      });
    }
    if (version === 0 && (readOnly || tables > 0)) {
      throw new LeafError("failed", say`${file} is not a label store.`, {
        file,
        remedy: say`Move it away; \`leaf label\` makes a new one.`,
      });
    }
    if (readOnly && version < schemaVersion) return upgraded(file);
    if (!readOnly) {
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
      migrate(db);
    }
    const fault = storeFault(db, "main");
    if (fault) {
      throw new LeafError("failed", say`${file} is not a label store of LEAF: ${fault}.`, {
        file,
        remedy: say`Move it away; \`leaf label\` makes a new one.`,
      });
    }
    return db;
  } catch (error) {
    db?.close();
    throw explainDatabaseError(error, file);
  }
}

/** A store of an older LEAF, brought up to date for one who only reads. */
function upgraded(file: string): DatabaseSync {
  openDatabase(file).close();
  return openGuarded(file, { readOnly: true, timeout: busyMs });
}

const busyMs = 10_000;

const layout: Record<string, readonly string[]> = {
  images: ["id", "hash"],
  teachers: ["id", "fingerprint", "kind", "description", "created_at"],
  points: [
    "id",
    "image_id",
    "teacher_id",
    "status",
    "score",
    ...ratingWords,
    "mass",
    "confidence",
    "reason",
    "created_at",
  ],
  pairs: [
    ...["id", "a_id", "b_id", "teacher_id", "status", "p", "p_ab", "p_ba", "position_bias"],
    ...["confidence", "reason", "created_at"],
  ],
  reasons: ["image_id", "teacher_id", "text", "created_at"],
};

/** Columns that the first schemas did not have. */
const later: Record<string, readonly string[]> = { points: ["samples"], pairs: ["samples"] };

/**
 * What keeps an attached database from being a label store; undefined where nothing does. Views, triggers, virtual tables and
 * computed columns run what somebody else wrote whenever they are read or written: a store of LEAF has none.
 */
export function storeFault(db: DatabaseSync, schema: "main" | "other" | "labels"): Text | undefined {
  const objects = db.prepare(`SELECT type, name, rootpage FROM ${schema}.sqlite_schema`).all();
  for (const { type, name, rootpage } of objects) {
    if (type === "view" || type === "trigger") return say`it has a ${String(type)}`;
    if (type === "table" && Number(rootpage) === 0)
      return say`\`${String(name).slice(0, 40)}\` is a virtual table`;
  }
  const tables = new Set(objects.filter(({ type }) => type === "table").map(({ name }) => String(name)));
  for (const [table, columns] of Object.entries(layout)) {
    // The first schema had no reasons.
    if (!tables.has(table)) {
      if (table === "reasons") continue;
      return say`it has no table \`${table}\``;
    }
    const found = db.prepare("SELECT name, hidden FROM pragma_table_xinfo(?, ?)").all(table, schema);
    if (found.some(({ hidden }) => hidden !== 0)) return say`\`${table}\` has computed columns`;
    const has = (column: string) => found.some(({ name }) => name === column);
    // Other stores may be of an older LEAF.
    const needed = schema === "main" && later[table] ? [...columns, ...later[table]] : columns;
    const lacking = needed.find((column) => !has(column));
    if (lacking) return say`\`${table}\` has no column \`${lacking}\``;
  }
  return undefined;
}

/** Both in one look, since another process may be making the tables. */
function stateOf(db: DatabaseSync): { version: number; tables: number } {
  const row = db
    .prepare(
      "SELECT user_version AS version, (SELECT count(*) FROM sqlite_schema) AS tables FROM pragma_user_version",
    )
    .get();
  return { version: Number(row?.version), tables: Number(row?.tables) };
}

function migrate(db: DatabaseSync): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
    for (const step of migrations.slice(version)) db.exec(step);
    // One that is up to date is left as it is, to the byte.
    if (version < schemaVersion) db.exec(`PRAGMA user_version = ${schemaVersion}`);
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
