import { type Stats, statSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { IndexedFile } from "./file.ts";
import { foldedNames } from "./names.ts";
import type { Place } from "./places.ts";

const batchRows = 1024;
/** What was read is not lost for longer, however long reading takes. */
const batchMs = 1000;

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

type Row = NonNullable<Before> & { seen: number };

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
  const touched = db.prepare(
    "UPDATE files SET seen = max(seen + 1, ?) WHERE path IN (SELECT value FROM json_each(?))",
  );
  const before = db.prepare(
    "SELECT path, hash, error, seen FROM files WHERE path IN (SELECT value FROM json_each(?))",
  );
  const put = db.prepare(
    "INSERT OR REPLACE INTO files (path, size, mtimeMs, hash, format, width, height, error, note, seen, name, stem) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const place = db.prepare(
    "INSERT INTO places (path, kind, reason, seen) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET " +
      "kind = excluded.kind, reason = excluded.reason, seen = max(seen + 1, excluded.seen)",
  );
  const rows = { touched: [] as string[], read: [] as ReadFile[], places: [] as Place[] };
  const all = Object.values(rows);
  let since = 0;
  let unsettled: string[] = [];

  function write(
    { entry, stats }: ReadFile,
    known: Map<string, Row>,
    written: [IndexedFile, Before][],
  ): void {
    if (stats) {
      const now = statOf(path.join(root, entry.path));
      // Gone: whoever looks for it next finds no row, or removes an old one.
      if (!now) return;
      if (!isSame(now, stats)) {
        unsettled.push(entry.path);
        return;
      }
    }
    const row = known.get(entry.path);
    const { name, stem } = foldedNames(entry.path);
    const { size, mtimeMs, hash, format, width, height, error, note } = entry;
    const seen = Math.max((row?.seen ?? 0) + 1, mark);
    put.run(entry.path, size, mtimeMs, hash, format, width, height, error, note, seen, name, stem);
    known.set(entry.path, { hash, error, seen });
    written.push([entry, row]);
  }

  const flush = () => {
    if (all.every((some) => some.length === 0)) return;
    const written: [IndexedFile, Before][] = [];
    db.exec("BEGIN IMMEDIATE");
    try {
      if (rows.touched.length > 0) touched.run(mark, JSON.stringify(rows.touched));
      const paths = JSON.stringify(rows.read.map(({ entry }) => entry.path));
      const known = new Map(before.all(paths).map((row) => [String(row.path), row as unknown as Row]));
      for (const one of rows.read) write(one, known, written);
      for (const one of rows.places) place.run(one.path, one.kind, one.reason, mark);
      db.exec("COMMIT");
    } catch (error) {
      // A full disk has rolled back by itself.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
    for (const some of all) some.length = 0;
    for (const [entry, row] of written) onWritten(entry, row);
  };
  const adding =
    <T>(some: T[]) =>
    (row: T) => {
      if (all.every((one) => one.length === 0)) since = performance.now();
      some.push(row);
      if (some.length >= batchRows || performance.now() - since > batchMs) flush();
    };
  return {
    touch: adding(rows.touched),
    put: adding(rows.read),
    place: adding(rows.places),
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
