import type { DatabaseSync } from "node:sqlite";
import type { IndexedFile } from "./indexFile.ts";
import { foldedNames } from "./names.ts";

const batchRows = 256;

/** Collects rows and writes them in short transactions, so that no lock is held while files are read. */
export function indexWriter(db: DatabaseSync, scanId: number) {
  const touched = db.prepare("UPDATE files SET seen = max(seen, ?) WHERE path = ?");
  const put = db.prepare(
    "INSERT OR REPLACE INTO files (path, size, mtimeMs, hash, format, width, height, error, note, seen, name, stem) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  let rows: (string | IndexedFile)[] = [];
  const flush = () => {
    if (rows.length === 0) return;
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows) {
        if (typeof row === "string") {
          touched.run(scanId, row);
          continue;
        }
        const { name, stem } = foldedNames(row.path);
        const { format, width, height, error, note } = row;
        put.run(
          row.path,
          row.size,
          row.mtimeMs,
          row.hash,
          format,
          width,
          height,
          error,
          note,
          scanId,
          name,
          stem,
        );
      }
      db.exec("COMMIT");
    } catch (error) {
      // A full disk has rolled back by itself.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
    rows = [];
  };
  const add = (row: string | IndexedFile) => {
    rows.push(row);
    if (rows.length >= batchRows) flush();
  };
  return { touch: add as (file: string) => void, put: add as (row: IndexedFile) => void, flush };
}
