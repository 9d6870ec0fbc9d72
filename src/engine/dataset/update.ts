import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { indexDataset } from "../dataset.ts";
import { throwIfCancelled } from "../errors.ts";
import { explainDatabaseError } from "../labels/schema.ts";
import { chunksOf } from "../labels/session.ts";
import { forEachBounded } from "../pool.ts";
import { findImages } from "./find.ts";
import { type IndexedEntries, indexedEntries } from "./indexedEntries.ts";
import { isDamage, openForReading, openForScan, removeIndex } from "./indexFile.ts";
import { indexWriter } from "./indexWriter.ts";
import { inspectFile, statOf } from "./inspect.ts";
import { onlyThese } from "./onlyThese.ts";

export interface IndexPlace {
  /** Folder of the config. */
  root: string;
  /** Folders and globs, as in the config. */
  images: string | string[];
  indexFile: string;
}

/** What became of single files; paths as in the index. */
export interface IndexUpdate {
  /** Usable images that were not there before, or not usable. */
  added: string[];
  /** Images with other bytes than before. */
  updated: string[];
  /** Entries of files that are gone. */
  removed: string[];
  /** Files that are new or changed and no usable image. */
  failed: string[];
}

/** Paths brought up to date between two pauses. */
const perStep = 500;

/**
 * Brings the index up to date with single files and folders (absolute paths) without a look at the others. What the disk
 * holds counts, not the word: a path told as removed that exists is updated, one told as changed that is gone is removed, and
 * a folder stands for all that is or was in it. Files that `images` does not name are passed over. An index that is missing or
 * damaged is made anew by a whole scan. Throws LeafErrors `failed`, `cancelled`.
 */
export async function updateIndex(
  place: IndexPlace,
  { changed, removed }: { changed: readonly string[]; removed: readonly string[] },
  signal?: AbortSignal,
): Promise<IndexUpdate> {
  throwIfCancelled(signal);
  const asked = [...new Set([...changed, ...removed].map((file) => path.resolve(file)))];
  const sets = { added: new Set<string>(), updated: new Set<string>(), failed: new Set<string>() };
  const gone: string[] = [];
  try {
    if (!isReadable(place.indexFile)) await scanAnew();
    else
      await withIndex(async (db) => {
        const entries = indexedEntries(db, place.root);
        for (const some of chunksOf(asked, perStep)) {
          await update(db, entries, some);
          await setImmediate();
        }
      });
  } catch (error) {
    if (!isDamage(error)) throw explainDatabaseError(error, place.indexFile);
    removeIndex(place.indexFile);
    await scanAnew();
  }
  const { added, updated, failed } = sets;
  return { added: [...added], updated: [...updated], removed: gone, failed: [...failed] };

  async function withIndex<T>(work: (db: DatabaseSync) => Promise<T>): Promise<T> {
    const db = openForScan(place.indexFile);
    try {
      return await work(db);
    } finally {
      db.close();
    }
  }

  async function scanAnew(): Promise<void> {
    await indexDataset({ ...place, signal });
    await withIndex(async (db) => {
      const entries = indexedEntries(db, place.root);
      for (const file of asked)
        for (const row of entries.within(file)) (row.error === null ? sets.added : sets.failed).add(row.path);
    });
  }

  async function update(db: DatabaseSync, entries: IndexedEntries, files: string[]): Promise<void> {
    const { root, images } = place;
    const mark = entries.nextMark(files);
    const known = db.prepare("SELECT size, mtimeMs, hash, error FROM files WHERE path = ?");
    const writer = indexWriter(db, mark);
    const visit = async (file: string) => {
      const stats = await statOf(path.join(root, file));
      if (stats === undefined) return;
      const row = known.get(file);
      if (row && row.hash !== null && row.size === stats.size && row.mtimeMs === stats.mtimeMs) {
        writer.touch(file);
        return;
      }
      const entry = await inspectFile(root, file, stats, signal);
      if (!entry) return;
      writer.put(entry);
      if (row && row.hash !== null && row.hash === entry.hash && row.error === entry.error) return;
      if (entry.error !== null) sets.failed.add(file);
      else if (row && row.error === null) sets.updated.add(file);
      else sets.added.add(file);
    };
    const found = findImages(root, images, onlyThese(files));
    await forEachBounded(found, 2 * Math.min(8, os.availableParallelism()), visit, signal);
    writer.flush();
    const unseen = (function* () {
      for (const file of files) for (const row of entries.within(file, mark)) yield row.path;
    })();
    for (const some of chunksOf(unseen, 1000)) {
      gone.push(...entries.removeUnseen(some, mark));
      await setImmediate();
    }
  }
}

/** Opened for writing, a damaged index would become an empty one: nobody would miss what it held. */
function isReadable(indexFile: string): boolean {
  try {
    openForReading(indexFile).close();
    return true;
  } catch {
    return false;
  }
}
