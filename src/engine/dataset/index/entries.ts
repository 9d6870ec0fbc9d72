import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { toPosix } from "../../base/posixPath.ts";
import type { IndexedFile } from "./file.ts";
import { isAtOrIn } from "./patterns.ts";

/** A row with its mark: whoever writes the row gives it a larger one. */
export type Entry = Pick<IndexedFile, "path" | "error"> & { seen: number };

/** What the index holds of single files and folders, given as absolute paths; of everything where none are given. */
export interface IndexedEntries {
  /** Larger than what any entry at or below these is marked with, so that those not found again can be told. */
  nextMark(files?: readonly string[]): number;
  /** Entries at or below a path; with `mark` only those marked with less. They may be deleted while it goes on. */
  within(file: string | undefined, mark?: number): Generator<Entry>;
  /** Deletes those of these entries that nobody has written since they were read, and tells which. */
  removeUnchanged(entries: readonly Entry[]): string[];
  /** Deletes what is told of places at or below these and marked with less. */
  removePlaces(files: readonly string[] | undefined, mark: number): void;
}

const perRead = 1000;

export function indexedEntries(db: DatabaseSync, root: string): IndexedEntries {
  const seenOf = db.prepare("SELECT seen FROM files WHERE path = ?");
  const lastSeen = db.prepare("SELECT max(seen) AS seen FROM files WHERE path >= ? AND path < ?");
  const self = db.prepare("SELECT path, error, seen FROM files WHERE path = ? AND seen < ?");
  const next = db.prepare(
    "SELECT path, error, seen FROM files WHERE path > ? AND path < ? AND seen < ? ORDER BY path LIMIT ?",
  );
  const remove = db.prepare("DELETE FROM files WHERE path = ? AND seen = ?");
  const placesOf = db.prepare(
    "SELECT path FROM places WHERE seen < ? AND (path = ? OR (path >= ? AND path < ?))",
  );
  const removePlace = db.prepare("DELETE FROM places WHERE path = ? AND seen < ?");

  const transaction = <T>(work: () => T): T => {
    db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };
  return {
    nextMark(files) {
      const lastPlace = db.prepare("SELECT max(seen) AS seen FROM places").get();
      let mark = Math.max(Date.now(), Number(lastPlace?.seen ?? 0) + 1);
      for (const file of files ?? [undefined]) {
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
        for (const one of rows)
          if (file === undefined || isAtOrIn(path.resolve(root, one.path), file)) yield one;
        if (rows.length < perRead) return;
        last = rows.at(-1)!.path;
      }
    },
    removeUnchanged: (entries) =>
      transaction(() =>
        entries.filter((one) => remove.run(one.path, one.seen).changes > 0).map((one) => one.path),
      ),
    removePlaces(files, mark) {
      if (db.prepare("SELECT 1 FROM places LIMIT 1").get() === undefined) return;
      transaction(() => {
        for (const file of files ?? [undefined]) {
          const { self, from, to } = rangeOf(root, file);
          for (const row of placesOf.all(mark, self || ".", from, to)) {
            const place = String(row.path);
            if (file === undefined || isAtOrIn(path.resolve(root, place), file)) removePlace.run(place, mark);
          }
        }
      });
    },
  };
}

/** Where the entries of a file (`self`) and of a folder's content (between the other two) stand in the order of paths. */
function rangeOf(root: string, file: string | undefined): { self: string; from: string; to: string } {
  const self = file === undefined ? "" : toPosix(path.relative(root, file));
  // The config's folder or one above it: its content may begin with anything.
  if (/^(\.\.(\/|$))*$/.test(self)) return { self, from: "", to: "\u{10ffff}" };
  return { self, from: `${self}/`, to: `${self}0` };
}
