import { type Stats, statSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { IndexedFile } from "./file.ts";
import { foldedNames } from "./names.ts";
import type { Place } from "./places.ts";

const batchRows = 256;

export interface ReadFile {
  entry: IndexedFile;
  /** Of the file before it was read; without them the row is written whatever the file is by now. */
  stats?: Stats;
}

export interface IndexWriter {
  /** A file is as the index knows it. */
  touch(file: string): void;
  put(read: ReadFile): void;
  place(place: Place): void;
  flush(): void;
  /** Files that were changed while they were read, and are not written; empties itself. */
  takeUnsettled(): string[];
}

/** What the index held of a file before it was written. */
export type Before = Pick<IndexedFile, "hash" | "error"> | undefined;

/**
 * Collects rows and writes them in short transactions, so that no lock is held while files are read. A row is only written where
 * the file is still the one that was read: what others removed meanwhile does not come back. Whoever writes a row raises its
 * mark, and never lowers it, so that a scan that did not see the file can tell that another did.
 */
export function indexWriter(
  db: DatabaseSync,
  root: string,
  mark: number,
  onWritten: (entry: IndexedFile, before: Before) => void,
): IndexWriter {
  const touched = db.prepare("UPDATE files SET seen = max(seen + 1, ?) WHERE path = ?");
  const before = db.prepare("SELECT hash, error, seen FROM files WHERE path = ?");
  const put = db.prepare(
    "INSERT OR REPLACE INTO files (path, size, mtimeMs, hash, format, width, height, error, note, seen, name, stem) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const place = db.prepare(
    "INSERT INTO places (path, kind, reason, seen) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET " +
      "kind = excluded.kind, reason = excluded.reason, seen = max(seen + 1, excluded.seen)",
  );
  let rows: (string | ReadFile | Place)[] = [];
  let unsettled: string[] = [];

  function write({ entry, stats }: ReadFile, written: [IndexedFile, Before][]): void {
    if (stats) {
      const now = statOf(path.join(root, entry.path));
      // Gone: whoever looks for it next finds no row, or removes an old one.
      if (!now) return;
      if (!isSame(now, stats)) {
        unsettled.push(entry.path);
        return;
      }
    }
    const row = before.get(entry.path) as (Before & { seen: number }) | undefined;
    const { name, stem } = foldedNames(entry.path);
    const { size, mtimeMs, hash, format, width, height, error, note } = entry;
    const seen = Math.max((row?.seen ?? 0) + 1, mark);
    put.run(entry.path, size, mtimeMs, hash, format, width, height, error, note, seen, name, stem);
    written.push([entry, row]);
  }

  const flush = () => {
    if (rows.length === 0) return;
    const written: [IndexedFile, Before][] = [];
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows) {
        if (typeof row === "string") touched.run(mark, row);
        else if ("entry" in row) write(row, written);
        else place.run(row.path, row.kind, row.reason, mark);
      }
      db.exec("COMMIT");
    } catch (error) {
      // A full disk has rolled back by itself.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
    rows = [];
    for (const [entry, row] of written) onWritten(entry, row);
  };
  const add = (row: string | ReadFile | Place) => {
    rows.push(row);
    if (rows.length >= batchRows) flush();
  };
  return {
    touch: add,
    put: add,
    place: add,
    flush,
    takeUnsettled() {
      const files = unsettled;
      unsettled = [];
      return files;
    },
  };
}

/** undefined for one that is gone, or cannot be looked at any more. */
function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return (
    a.size === b.size &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}
