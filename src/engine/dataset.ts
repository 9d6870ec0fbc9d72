import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { ProgressSink } from "../protocol/progress.ts";
import { findImages } from "./dataset/find.ts";
import { isDamage, openForReading, openForScan, removeIndex } from "./dataset/indexFile.ts";
import { indexWriter } from "./dataset/indexWriter.ts";
import { inspectFile, statOf } from "./dataset/inspect.ts";
import { throwIfCancelled } from "./errors.ts";
import { explainDatabaseError } from "./labels/schema.ts";
import { forEachBounded } from "./pool.ts";

export type { IndexedFile, IndexedImage } from "./dataset/indexFile.ts";
export { type ImageIndex, openIndex } from "./dataset/query.ts";

export interface IndexOptions {
  /** Folder of the config. */
  root: string;
  /** Folders and globs, as in the config. */
  images: string | string[];
  indexFile: string;
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
}

/**
 * Brings the index up to date with the files: a new or changed file (by size and time of change) is read once, for its hash
 * and its header; a known one is not read at all; one that is gone vanishes. Memory does not grow with the dataset.
 * A damaged index is made anew: it is only a cache. Throws LeafErrors `config` (no such folder), `failed`, `cancelled`.
 */
export async function indexDataset(options: IndexOptions): Promise<DatasetSummary> {
  try {
    return await scan(options);
  } catch (error) {
    if (!isDamage(error)) throw explainDatabaseError(error, options.indexFile);
    removeIndex(options.indexFile);
    return scan(options);
  }
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

async function scan(options: IndexOptions): Promise<DatasetSummary> {
  const { root, indexFile, signal, onProgress } = options;
  throwIfCancelled(signal);
  const db = openForScan(indexFile);
  try {
    const known = db.prepare("SELECT size, mtimeMs, hash, seen FROM files WHERE path = ?");
    const newest = Number(db.prepare("SELECT max(seen) AS seen FROM files").get()?.seen ?? 0);
    // Ids grow, so that of two scans at once the older never removes what the newer has seen.
    const scanId = Math.max(Date.now(), newest + 1);
    const batch = indexWriter(db, scanId);
    let done = 0;
    let read = 0;
    const visit = async (file: string) => {
      const stats = await statOf(path.join(root, file));
      if (stats === undefined) return;
      const row = known.get(file);
      if (row?.seen === scanId) return;
      if (row && row.hash !== null && row.size === stats.size && row.mtimeMs === stats.mtimeMs) {
        batch.touch(file);
      } else {
        const entry = await inspectFile(root, file, stats, signal);
        if (entry) {
          read += 1;
          batch.put(entry);
        }
      }
      done += 1;
      onProgress?.({ stage: "index", step: "files", done, unit: "images" });
    };
    await forEachBounded(
      findImages(root, options.images),
      options.concurrency ?? 2 * Math.min(8, os.availableParallelism()),
      visit,
      signal,
    );
    batch.flush();
    const removed = Number(db.prepare("DELETE FROM files WHERE seen < ?").run(scanId).changes);
    return { ...summarise(db), read, removed };
  } finally {
    db.close();
  }
}

function summarise(db: DatabaseSync): Omit<DatasetSummary, "read" | "removed"> {
  const row = db
    .prepare(
      "SELECT count(*) AS files, count(DISTINCT CASE WHEN error IS NULL THEN hash END) AS images, " +
        "count(error) AS failed, count(note) AS misnamed FROM files",
    )
    .get();
  const [files, images, failed, misnamed] = [row?.files, row?.images, row?.failed, row?.misnamed].map(
    Number,
  ) as [number, number, number, number];
  return { files, images, failed, misnamed, duplicates: files - failed - images };
}
