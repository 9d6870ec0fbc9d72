import type { DatabaseSync } from "node:sqlite";
import type { ProgressSink } from "../../protocol/progress.ts";
import { throwIfCancelled } from "../base/errors.ts";
import { bringIn } from "./index/bringIn.ts";
import { hasPlaces, type IndexPlace, openForReading } from "./index/file.ts";
import type { PlaceKind } from "./index/places.ts";
import { withIndex } from "./index/withIndex.ts";

export type { IndexedImage } from "./index/file.ts";
export { type Place, type PlaceKind, placeKinds } from "./index/places.ts";
export { type ImageIndex, openIndex } from "./index/query.ts";

export interface IndexOptions extends IndexPlace {
  signal?: AbortSignal;
  onProgress?: ProgressSink;
  /** Files read at a time. */
  concurrency?: number;
}

export interface DatasetSummary {
  /** Image files found. */
  files: number;
  /** Different usable images. */
  images: number;
  /** Files that are no usable image. */
  failed: number;
  /** Usable files whose bytes another file has too, under an earlier path. */
  duplicates: number;
  /** Files whose name promises another format than their bytes are. */
  misnamed: number;
  /** Files that were new or changed, so had to be read. */
  read: number;
  /** Entries of files that are gone. */
  removed: number;
  /** Folders that cannot be read, names that are not UTF-8, links: how many of each; absent where there are none. */
  places?: Partial<Record<PlaceKind, number>>;
}

/**
 * Brings the index up to date with the files: a new or changed file (by size and time of change) is read once, for its hash
 * and its header; a known one is not read at all; one that is gone vanishes. Memory does not grow with the dataset. Any number
 * of processes may do so at once. A damaged index is made anew: it is only a cache. Throws LeafErrors `config` (no such
 * folder), `failed`, `cancelled`.
 */
export async function indexDataset(options: IndexOptions): Promise<DatasetSummary> {
  const { signal, onProgress, concurrency } = options;
  throwIfCancelled(signal);
  return withIndex(options, async (db) => {
    let [done, read, removed] = [0, 0, 0];
    await bringIn(db, options, {
      signal,
      concurrency,
      onDone: () => onProgress?.({ stage: "index", step: "files", done: ++done, unit: "images" }),
      onWritten: () => read++,
      onRemoved: () => removed++,
    });
    return { ...summarise(db), read, removed };
  });
}

/** What the index holds, without a look at the files. Throws a LeafError `failed` if there is none. */
export function summariseIndex(indexFile: string): DatasetSummary {
  const db = openForReading(indexFile);
  try {
    return { ...summarise(db), read: 0, removed: 0 };
  } finally {
    db.close();
  }
}

function summarise(db: DatabaseSync): Omit<DatasetSummary, "read" | "removed"> {
  const count = (query: string) => Number(db.prepare(`SELECT count(${query}`).get()!.n);
  const files = count("*) AS n FROM files");
  const failed = count("*) AS n FROM files WHERE error IS NOT NULL");
  // By the index of hashes alone, less those that only failed files have: many times as quick as a look at each row's error.
  const images =
    count("DISTINCT hash) AS n FROM files") -
    count(`DISTINCT hash) AS n FROM files AS f WHERE error IS NOT NULL AND NOT EXISTS
      (SELECT 1 FROM files AS g WHERE g.hash = f.hash AND g.error IS NULL)`);
  const misnamed = count("*) AS n FROM files WHERE note IS NOT NULL AND note LIKE 'named %'");
  const places = countPlaces(db);
  return {
    files,
    images,
    failed,
    misnamed,
    duplicates: files - failed - images,
    ...(places.length > 0 ? { places: Object.fromEntries(places) } : {}),
  };
}

function countPlaces(db: DatabaseSync): [PlaceKind, number][] {
  if (!hasPlaces(db)) return [];
  return db
    .prepare("SELECT kind, count(*) AS n FROM places GROUP BY kind ORDER BY kind")
    .all()
    .map((row) => [String(row.kind) as PlaceKind, Number(row.n)]);
}
