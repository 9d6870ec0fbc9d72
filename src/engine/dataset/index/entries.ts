import type { Stats } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { toPosix } from "../../base/posixPath.ts";
import type { IndexedFile } from "./file.ts";
import { isAtOrIn } from "./patterns.ts";

/** A row with its mark: whoever writes the row gives it a larger one. */
export type Entry = Pick<IndexedFile, "path" | "error"> & { seen: number };

/** What the index holds of single files and folders, given as absolute paths; of everything where none are given. */
export interface IndexedEntries {
  /**
   * Larger than what any place, and with `ofFiles` any entry at or below these, is marked with, so that those not found again can be told.
   */
  nextMark(files: readonly string[] | undefined, ofFiles: boolean): number;
  /** Tells of each of these files, by its place in the list, whether the index knows it with the same size and time of change. */
  areKnown(files: readonly string[]): (at: number, stats: Pick<Stats, "size" | "mtimeMs">) => boolean;
  /** How many files the index holds; `others` changes whenever somebody else has written to it. */
  state(): { files: number; others: number };
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
  // One question for many files: a fifth of the time of one each.
  const known = db.prepare(
    "SELECT j.key, f.size, f.mtimeMs FROM json_each(?) AS j JOIN files AS f ON f.path = j.value WHERE f.hash IS NOT NULL",
  );
  known.setReturnArrays(true);
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
    state: () => ({
      files: Number(db.prepare("SELECT count(*) AS n FROM files").get()!.n),
      others: Number(db.prepare("PRAGMA data_version").get()!.data_version),
    }),
    areKnown(files) {
      const rows = known.all(JSON.stringify(files)) as unknown as [number, number, number][];
      const sizes = new Float64Array(files.length).fill(-1);
      const times = new Float64Array(files.length);
      for (const [at, size, mtimeMs] of rows) [sizes[at], times[at]] = [size, mtimeMs];
      return (at, { size, mtimeMs }) => sizes[at] === size && times[at] === mtimeMs;
    },
    nextMark(files, ofFiles) {
      const lastPlace = db.prepare("SELECT max(seen) AS seen FROM places").get();
      let mark = Math.max(Date.now(), Number(lastPlace?.seen ?? 0) + 1);
      if (!ofFiles) return mark;
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
