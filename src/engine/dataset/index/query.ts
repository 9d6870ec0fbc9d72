import type { StatementSync } from "node:sqlite";
import { columns, hasPlaces, type IndexedFile, type IndexedImage, openForReading } from "./file.ts";
import { foldedNames } from "./names.ts";
import type { Place, PlaceKind } from "./places.ts";

/** The index as the stages read it. Rows are streamed; none of the lists is held in memory. */
export interface ImageIndex {
  /** Different usable images, ordered by path (by code unit); the first path of a duplicate stands for all. */
  iterate(): IterableIterator<IndexedImage>;
  /** Hash and path of each that `iterate` yields, in that order; a third of its time. */
  names(): IterableIterator<[hash: string, path: string]>;
  /** How many `iterate` yields. */
  count(): number;
  /** Files that are no usable image, ordered by path. */
  failed(): IterableIterator<IndexedFile & { error: string }>;
  /** Files with something worth telling, ordered by path. */
  notes(): IterableIterator<IndexedFile & { note: string }>;
  /** Folders that cannot be read, names that are not UTF-8, and links; of these kinds, ordered by path. */
  places(...kinds: PlaceKind[]): IterableIterator<Place>;
  /** Usable files whose bytes came under an earlier path already. */
  duplicates(): IterableIterator<{ path: string; first: string; hash: string }>;
  byHash(hash: string): IndexedImage | undefined;
  /** `path` as in the index; the file may be an unusable one. */
  byPath(path: string): IndexedFile | undefined;
  /** Files with this name in any folder, whatever the case; `stem` is a name without its image extension. */
  named(name: string): IndexedFile[];
  withStem(stem: string): IndexedFile[];
  close(): void;
}

const firstPath =
  "error IS NULL AND NOT EXISTS (SELECT 1 FROM files AS g WHERE g.hash = f.hash AND g.path < f.path)";

/** Opens the index that `indexDataset` made. Throws a LeafError `failed` if it cannot be read. */
export function openIndex(indexFile: string): ImageIndex {
  const db = openForReading(indexFile);
  const select = (rest: string) => db.prepare(`SELECT ${columns} FROM files AS f ${rest}`);
  const byHash = select("WHERE hash = ? AND error IS NULL ORDER BY path LIMIT 1");
  const byPath = select("WHERE path = ?");
  const byName = select("WHERE name = ? ORDER BY path LIMIT 1000");
  const byStem = select("WHERE stem = ? ORDER BY path LIMIT 1000");
  return {
    iterate: () => rows<IndexedImage>(select(`WHERE ${firstPath} ORDER BY path`)),
    names() {
      const statement = db.prepare(`SELECT hash, path FROM files AS f WHERE ${firstPath} ORDER BY path`);
      statement.setReturnArrays(true);
      return statement.iterate() as IterableIterator<unknown> as IterableIterator<[string, string]>;
    },
    count: () =>
      Number(db.prepare("SELECT count(DISTINCT hash) AS n FROM files WHERE error IS NULL").get()?.n),
    failed: () => rows(select("WHERE error IS NOT NULL ORDER BY path")),
    notes: () => rows(select("WHERE note IS NOT NULL ORDER BY path")),
    places: (...kinds) =>
      hasPlaces(db)
        ? rows(
            db.prepare(
              "SELECT path, kind, reason FROM places WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY path",
            ),
            JSON.stringify(kinds),
          )
        : [][Symbol.iterator](),
    duplicates: () =>
      rows(
        db.prepare(
          "SELECT path, (SELECT min(g.path) FROM files AS g WHERE g.hash = f.hash) AS first, hash FROM files AS f " +
            "WHERE error IS NULL AND EXISTS (SELECT 1 FROM files AS g WHERE g.hash = f.hash AND g.path < f.path) ORDER BY path",
        ),
      ),
    byHash: (hash) => first<IndexedImage>(byHash, hash),
    byPath: (path) => first<IndexedFile>(byPath, path),
    named: (name) => all(byName, foldedNames(name).name),
    withStem: (name) => all(byStem, foldedNames(name).stem),
    close: () => db.close(),
  };
}

// What a query's columns and WHERE promise, the compiler cannot know: these and `names` are the only casts.
function rows<T>(statement: StatementSync, ...values: string[]): IterableIterator<T> {
  return statement.iterate(...values) as IterableIterator<unknown> as IterableIterator<T>;
}

function first<T>(statement: StatementSync, key: string): T | undefined {
  return statement.get(key) as T | undefined;
}

function all(statement: StatementSync, key: string): IndexedFile[] {
  return statement.all(key) as unknown[] as IndexedFile[];
}
