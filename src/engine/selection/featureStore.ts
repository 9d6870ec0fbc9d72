import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openGuarded } from "../base/guardedDatabase.ts";
import { chunksOf, explainDatabaseError, isDamage } from "../base/sqlite.ts";
import type { Project } from "../config/project.ts";

/** A student's view of some images, in the order of `hashes`: scores on 1..5 and pooled features, n × dim. */
export interface StudentTable {
  hashes: string[];
  scores: Float64Array;
  features: Float32Array;
  dim: number;
}

/** `.leaf/cache/features/<student key>.sqlite`: may be deleted at any time. A NULL score is a file that cannot be read. */
export interface FeatureStore {
  missing(hashes: Iterable<string>): string[];
  put(
    rows: readonly { hash: string; score: number | null; features: Float32Array | null; reason?: string }[],
  ): void;
  /** Those of the images that have no score, and why. */
  failed(hashes: Iterable<string>): Generator<{ hash: string; reason: string }>;
  /** Of the images that have features, in the order asked. */
  table(hashes: Iterable<string>): StudentTable;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS images (hash TEXT PRIMARY KEY, score REAL, features BLOB);
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
      db.prepare("SELECT hash, score, features FROM images LIMIT 1").get();
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

/** Undefined for what is no row of finite numbers. */
function vectorOf(bytes: unknown): Float32Array | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.byteLength === 0 || bytes.byteLength % 4 !== 0)
    return undefined;
  // Copied: the bytes may not be aligned to four.
  const vector = new Float32Array(Uint8Array.from(bytes).buffer);
  return vector.every(Number.isFinite) ? vector : undefined;
}

function storeOf(db: DatabaseSync): FeatureStore {
  const insert = db.prepare("INSERT OR REPLACE INTO images(hash, score, features) VALUES (?, ?, ?)");
  const select = db.prepare(
    `SELECT j.key AS at, i.score, i.features FROM json_each(?) AS j JOIN images AS i ON i.hash = j.value ORDER BY j.key`,
  );
  const insertReason = db.prepare("INSERT OR REPLACE INTO failed(hash, reason) VALUES (?, ?)");
  const unscored = db.prepare(
    `SELECT j.value AS hash, f.reason FROM json_each(?) AS j JOIN images AS i ON i.hash = j.value
     LEFT JOIN failed AS f ON f.hash = i.hash WHERE i.score IS NULL ORDER BY j.key`,
  );
  const known = db.prepare("SELECT i.hash FROM json_each(?) AS j JOIN images AS i ON i.hash = j.value");
  return {
    missing(hashes) {
      const lacking: string[] = [];
      for (const some of chunksOf(hashes, perQuery)) {
        const found = new Set(known.all(JSON.stringify(some)).map((row) => String(row.hash)));
        for (const hash of some) if (!found.has(hash)) lacking.push(hash);
      }
      return lacking;
    },
    put(rows) {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const { hash, score, features, reason } of rows) {
          insert.run(
            hash,
            score,
            features && new Uint8Array(features.buffer, features.byteOffset, features.byteLength),
          );
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
    table(hashes) {
      const [found, scores, vectors]: [string[], number[], Float32Array[]] = [[], [], []];
      for (const some of chunksOf(hashes, perQuery))
        for (const row of select.all(JSON.stringify(some))) {
          const vector = vectorOf(row.features);
          // A NULL, or what is none of ours: one student gives vectors of one length.
          if (!Number.isFinite(row.score) || vector === undefined) continue;
          if (vectors[0] && vectors[0].length !== vector.length) continue;
          found.push(some[Number(row.at)]!);
          scores.push(Number(row.score));
          vectors.push(vector);
        }
      const dim = vectors[0]?.length ?? 0;
      const features = new Float32Array(found.length * dim);
      for (const [i, vector] of vectors.entries()) features.set(vector, i * dim);
      return { hashes: found, scores: Float64Array.from(scores), features, dim };
    },
    close() {
      if (db.isOpen) db.close();
    },
  };
}
