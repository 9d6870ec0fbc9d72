import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { toPosix } from "./find.ts";
import type { IndexedFile } from "./indexFile.ts";

type Entry = Pick<IndexedFile, "path" | "error">;

/** What the index holds of single files and folders, given as absolute paths. */
export interface IndexedEntries {
  /** Larger than what any entry at or below these is marked with, so that those not found again can be told. */
  nextMark(files: readonly string[]): number;
  /** Entries at or below a path; with `mark` only those marked with less. They may be deleted while it goes on. */
  within(file: string, mark?: number): Generator<Entry>;
  /** Deletes those of these entries that are still marked with less, and tells which. */
  removeUnseen(paths: readonly string[], mark: number): string[];
}

const perRead = 1000;

export function indexedEntries(db: DatabaseSync, root: string): IndexedEntries {
  const seenOf = db.prepare("SELECT seen FROM files WHERE path = ?");
  const lastSeen = db.prepare("SELECT max(seen) AS seen FROM files WHERE path >= ? AND path < ?");
  const self = db.prepare("SELECT path, error FROM files WHERE path = ? AND seen < ?");
  const next = db.prepare(
    "SELECT path, error FROM files WHERE path > ? AND path < ? AND seen < ? ORDER BY path LIMIT ?",
  );
  const remove = db.prepare("DELETE FROM files WHERE path = ? AND seen < ?");
  return {
    nextMark(files) {
      let mark = Date.now();
      for (const file of files) {
        const range = rangeOf(root, file);
        for (const row of [seenOf.get(range.self), lastSeen.get(range.from, range.to)])
          mark = Math.max(mark, Number(row?.seen ?? 0) + 1);
      }
      return mark;
    },
    *within(file, mark = Number.MAX_SAFE_INTEGER) {
      const range = rangeOf(root, file);
      const row = self.get(range.self, mark) as Entry | undefined;
      if (row) yield row;
      for (let last = range.from; ; ) {
        const rows = next.all(last, range.to, mark, perRead) as unknown as Entry[];
        for (const one of rows) if (isWithin(path.resolve(root, one.path), file)) yield one;
        if (rows.length < perRead) return;
        last = rows.at(-1)!.path;
      }
    },
    removeUnseen(paths, mark) {
      db.exec("BEGIN IMMEDIATE");
      try {
        const gone = paths.filter((one) => remove.run(one, mark).changes > 0);
        db.exec("COMMIT");
        return gone;
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

/** Where the entries of a file (`self`) and of a folder's content (between the other two) stand in the order of paths. */
function rangeOf(root: string, file: string): { self: string; from: string; to: string } {
  const self = toPosix(path.relative(root, file));
  // The config's folder or one above it: its content may begin with anything.
  if (/^(\.\.(\/|$))*$/.test(self)) return { self, from: "", to: "\u{10ffff}" };
  return { self, from: `${self}/`, to: `${self}0` };
}

function isWithin(file: string, folder: string): boolean {
  return file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}
