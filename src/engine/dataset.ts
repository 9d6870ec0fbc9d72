import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { ProgressSink } from "../protocol/progress.ts";
import { findImages } from "./dataset/find.ts";
import { type IndexedFile, isDamage, openForReading, openForScan, removeIndex } from "./dataset/indexFile.ts";
import { foldedNames } from "./dataset/names.ts";
import { explainFileSystemError, LeafError, throwIfCancelled } from "./errors.ts";
import { hashFile, isMissing } from "./files.ts";
import { BmpError } from "./images/bmp.ts";
import { probeImage, UnreadableImage } from "./images/decode.ts";
import { displayName, formatOfExtension } from "./images/format.ts";
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

/** Enough for the header of nearly every file: EXIF, ICC and thumbnails come first. */
const headBytes = 128 * 1024;
const batchRows = 256;

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
    const batch = batchWriter(db, scanId);
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
        const entry = await inspect(root, file, stats, signal);
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

/** Collects rows and writes them in short transactions, so that no lock is held while files are read. */
function batchWriter(db: DatabaseSync, scanId: number) {
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

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    // Gone since it was listed, or a link to nowhere.
    if (isMissing(error)) return undefined;
    throw explainFileSystemError(error, "read", file);
  }
}

/** Reads a file once: hash and header. undefined if it has gone meanwhile. */
async function inspect(
  root: string,
  file: string,
  stats: Stats,
  signal?: AbortSignal,
): Promise<IndexedFile | undefined> {
  const absolute = path.join(root, file);
  const entry: IndexedFile = {
    path: file,
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    hash: null,
    format: null,
    width: null,
    height: null,
    error: null,
    note: null,
  };
  try {
    const { hash, head } = await hashFile(absolute, { head: headBytes, signal });
    entry.hash = hash;
    const header = await probeImage(head, head.length < stats.size ? absolute : undefined);
    Object.assign(entry, header);
    const promised = formatOfExtension[path.posix.extname(file).slice(1).toLowerCase()];
    const heif = promised === "heic" && header.format === "avif";
    if (promised !== header.format && !heif)
      entry.note = `named ${path.posix.extname(file)}, is ${displayName(header.format)}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof UnreadableImage || error instanceof BmpError) entry.error = error.message;
    else entry.error = unreadableReason(error, absolute);
  }
  return entry;
}

/** A file that may not be read is a fact about that file; anything else ends the scan. */
function unreadableReason(error: unknown, file: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof LeafError) throw error;
  if (code === "EACCES" || code === "EPERM") return "permission to read it is denied";
  if (code === "EIO") return "the disk reports an error";
  if (code === undefined) throw error;
  throw explainFileSystemError(error, "read", file);
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
