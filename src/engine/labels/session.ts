import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { chunksOf, explainDatabaseError } from "../base/sqlite.ts";
import { nobody } from "./counting.ts";
import { openDatabase, type StoreOptions } from "./schema.ts";

export type Row = Record<string, unknown>;

/** Rows of `teachers`; `nobody` for one that never labelled. */
export interface RowIds {
  teacher: number;
  person: number;
}

/** An open label store: statements are prepared once, and SQLite's errors become LeafErrors. */
export interface Session {
  db: DatabaseSync;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** How many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  /** A stream with a statement of its own, so that others may run between its rows. */
  rows(sql: string, ...values: SQLInputValue[]): Generator<Row>;
  /** All of the work or nothing of it. Waits up to 10 s for another writer. */
  transaction(work: () => void): void;
  /** Row id of an image, which is added if need be; inside of a transaction. */
  imageId(hash: string): number;
  /** Row id of a teacher; `nobody` for one that never labelled. */
  teacherId(fingerprint: string): number;
  close(): void;
}

/** Images whose ids are remembered: rows of one image come one after the other. */
const mostImages = 50_000;

export function openSession(file: string, options: StoreOptions): Session {
  const db = openDatabase(file, options);
  const statements = new Map<string, StatementSync>();
  const teachers = new Map<string, number>();
  const images = new Map<string, number>();

  function prepared(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (!statement) {
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  }

  function guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainDatabaseError(error, file);
    }
  }

  const session: Session = {
    db,
    all: (sql, ...values) => guarded(() => prepared(sql).all(...values)),
    get: (sql, ...values) => guarded(() => prepared(sql).get(...values)),
    run: (sql, ...values) => guarded(() => Number(prepared(sql).run(...values).changes)),
    *rows(sql, ...values) {
      const found = guarded(() => db.prepare(sql).iterate(...values));
      try {
        for (;;) {
          const next = guarded(() => found.next());
          if (next.done) return;
          yield next.value;
        }
      } finally {
        // Ends the read transaction also where the reader stops early.
        if (db.isOpen) found.return?.();
      }
    },
    transaction(work) {
      guarded(() => {
        db.exec("BEGIN IMMEDIATE");
        try {
          work();
          db.exec("COMMIT");
        } catch (error) {
          // A full disk may have ended the transaction already.
          if (db.isTransaction) db.exec("ROLLBACK");
          images.clear();
          throw error;
        }
      });
    },
    imageId(hash) {
      let id = images.get(hash);
      if (id === undefined) {
        session.run("INSERT OR IGNORE INTO images(hash) VALUES (?)", hash);
        id = Number(session.get("SELECT id FROM images WHERE hash = ?", hash)!.id);
        if (images.size >= mostImages) images.clear();
        images.set(hash, id);
      }
      return id;
    },
    teacherId(fingerprint) {
      let id = teachers.get(fingerprint);
      if (id === undefined) {
        const row = session.get("SELECT id FROM teachers WHERE fingerprint = ?", fingerprint);
        if (!row) return nobody;
        id = Number(row.id);
        teachers.set(fingerprint, id);
      }
      return id;
    },
    close() {
      if (db.isOpen) db.close();
    },
  };
  return session;
}

const imagesPerQuery = 1000;

/** Those of the images that have no row of a teacher, in their order. `join` adds such rows to images `i`; its one value is the teacher. */
export function* imagesWithout(
  session: Session,
  join: string,
  teacher: number,
  images: Iterable<string>,
): Generator<string> {
  for (const chunk of chunksOf(images, imagesPerQuery)) {
    // `key` is the position in the chunk: the order stays.
    const rows = session.all(
      `SELECT j.key AS at FROM json_each(?) j JOIN images i ON i.hash = j.value ${join}`,
      JSON.stringify(chunk),
      teacher,
    );
    const found = new Set(rows.map((row) => Number(row.at)));
    for (const [at, image] of chunk.entries()) if (!found.has(at)) yield image;
  }
}
