import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openGuarded } from "../base/guardedDatabase.ts";
import { chunksOf, explainDatabaseError, isDamage } from "../base/sqlite.ts";
import type { Project } from "../config/project.ts";

/** A student's view of some images, in the order of `hashes`: scores on 1..5 and pooled features, n × dim (or the `levels` asked for). */
export interface StudentTable {
  hashes: string[];
  scores: Float64Array;
  features: Float32Array;
  dim: number;
  /** Scores of the targets beside the main one, n × how many the student has learnt; absent where it has none. */
  beside?: Float32Array;
}

/** `.leaf/cache/features/<student key>.sqlite`: may be deleted at any time. A NULL score is a file that cannot be read. */
export interface FeatureStore {
  /** Those that were never looked at; with `levels` also those that were, but not for these. */
  missing(hashes: Iterable<string>, options?: { levels?: boolean }): string[];
  /** Adds or replaces; `levels` that are not given stay. */
  put(rows: readonly FeatureRow[]): void;
  /** Those of the images that have no score, and why. */
  failed(hashes: Iterable<string>): Generator<{ hash: string; reason: string }>;
  /** Of the images that have features (or `levels`), in the order asked. */
  table(hashes: Iterable<string>, options?: { levels?: boolean }): StudentTable;
  close(): void;
}

export interface FeatureRow {
  hash: string;
  score: number | null;
  features: Float32Array | null;
  levels?: Float32Array | null;
  beside?: Float32Array;
  reason?: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS images (
    hash TEXT PRIMARY KEY, score REAL, features BLOB, levels BLOB, beside BLOB);
  CREATE TABLE IF NOT EXISTS failed (hash TEXT PRIMARY KEY, reason TEXT NOT NULL);
  PRAGMA user_version = 1;`;
const perQuery = 500;

export function openFeatureStore(project: Project, studentKey: string): FeatureStore {
  const file = path.join(project.cache, "features", `${studentKey}.sqlite`);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    openOrReplace(file).close();
    return storeOf(openGuarded(file, { timeout: 10_000 }));
  } catch (error) {
    throw explainDatabaseError(error, file);
  }
}

function openOrReplace(file: string): DatabaseSync {
  const open = () => {
    const db = new DatabaseSync(file, { timeout: 10_000 });
    try {
      db.exec(
        `PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${schema}`,
      );
      for (const column of ["levels", "beside"]) addColumn(db, column);
      db.prepare("SELECT hash, score, features, levels, beside FROM images LIMIT 1").get();
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  };
  try {
    return open();
  } catch (error) {
    if (!isDamage(error)) throw error;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    return open();
  }
}

/** Former stores lack some. */
function addColumn(db: DatabaseSync, column: string): void {
  const has = () => db.prepare("SELECT 1 FROM pragma_table_info('images') WHERE name = ?").get(column);
  if (has()) return;
  db.exec("BEGIN IMMEDIATE");
  if (!has()) db.exec(`ALTER TABLE images ADD COLUMN ${column} BLOB`);
  db.exec("COMMIT");
}

/** Undefined for what is no row of finite numbers. */
function vectorOf(bytes: unknown): Float32Array | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.byteLength === 0 || bytes.byteLength % 4 !== 0)
    return undefined;
  // Copied: the bytes may not be aligned to four.
  const vector = new Float32Array(Uint8Array.from(bytes).buffer);
  return vector.every(Number.isFinite) ? vector : undefined;
}

function bytesOf(row: Float32Array | null | undefined): Uint8Array | null {
  return row ? new Uint8Array(row.buffer, row.byteOffset, row.byteLength) : null;
}

const noScores = new Float32Array(0);

/** Rows of one length, one after the other. */
function joined(rows: readonly Float32Array[]): Float32Array {
  const dim = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) all.set(row, i * dim);
  return all;
}

function storeOf(db: DatabaseSync): FeatureStore {
  const insert = db.prepare(
    `INSERT INTO images(hash, score, features, levels, beside) VALUES (?, ?, ?, ?, ?) ON CONFLICT(hash) DO UPDATE
     SET score = excluded.score, features = excluded.features, levels = coalesce(excluded.levels, levels), beside = excluded.beside`,
  );
  const rowsOf = (column: "features" | "levels") =>
    db.prepare(
      `SELECT j.key AS at, i.score, i.beside, i.${column} AS vector FROM json_each(?) AS j JOIN images AS i ON i.hash = j.value
       ORDER BY j.key`,
    );
  const [featureRows, levelRows] = [rowsOf("features"), rowsOf("levels")];
  const insertReason = db.prepare("INSERT OR REPLACE INTO failed(hash, reason) VALUES (?, ?)");
  const unscored = db.prepare(
    `SELECT j.value AS hash, f.reason FROM json_each(?) AS j JOIN images AS i ON i.hash = j.value
     LEFT JOIN failed AS f ON f.hash = i.hash WHERE i.score IS NULL ORDER BY j.key`,
  );
  const known = db.prepare(
    `SELECT i.hash FROM json_each(?) AS j JOIN images AS i ON i.hash = j.value
     WHERE NOT ? OR i.levels IS NOT NULL OR i.score IS NULL`,
  );
  return {
    missing(hashes, { levels = false } = {}) {
      const lacking: string[] = [];
      for (const some of chunksOf(hashes, perQuery)) {
        const found = new Set(known.all(JSON.stringify(some), Number(levels)).map((row) => String(row.hash)));
        for (const hash of some) if (!found.has(hash)) lacking.push(hash);
      }
      return lacking;
    },
    put(rows) {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const { hash, score, features, levels, beside, reason } of rows) {
          insert.run(hash, score, bytesOf(features), bytesOf(levels), bytesOf(beside));
          if (reason !== undefined) insertReason.run(hash, reason);
        }
        db.exec("COMMIT");
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
    },
    *failed(hashes) {
      for (const some of chunksOf(hashes, perQuery))
        for (const { hash, reason } of unscored.all(JSON.stringify(some)))
          yield { hash: String(hash), reason: reason === null ? "it cannot be read" : String(reason) };
    },
    table(hashes, { levels = false } = {}) {
      const select = levels ? levelRows : featureRows;
      const [found, scores, vectors]: [string[], number[], Float32Array[]] = [[], [], []];
      const others: Float32Array[] = [];
      for (const some of chunksOf(hashes, perQuery))
        for (const row of select.all(JSON.stringify(some))) {
          const vector = vectorOf(row.vector);
          // A NULL, or what is none of ours: one student gives vectors of one length.
          if (!Number.isFinite(row.score) || vector === undefined) continue;
          if (vectors[0] && vectors[0].length !== vector.length) continue;
          const beside = vectorOf(row.beside) ?? noScores;
          if (others[0] && others[0].length !== beside.length) continue;
          found.push(some[Number(row.at)]!);
          scores.push(Number(row.score));
          vectors.push(vector);
          others.push(beside);
        }
      const beside = joined(others);
      return {
        hashes: found,
        scores: Float64Array.from(scores),
        features: joined(vectors),
        dim: vectors[0]?.length ?? 0,
        ...(beside.length > 0 && { beside }),
      };
    },
    close() {
      if (db.isOpen) db.close();
    },
  };
}
