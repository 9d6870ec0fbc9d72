import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate, setTimeout } from "node:timers/promises";
import { inEnglish, say } from "../../../words/text.ts";
import { explainFileSystemError } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { forEachBounded } from "../../base/pool.ts";
import { toPosix } from "../../base/posixPath.ts";
import { chunksOf } from "../../base/sqlite.ts";
import { defaultMaxPixels } from "../../images/limits.ts";
import type { Entry } from "./entries.ts";
import { indexedEntries } from "./entries.ts";
import type { IndexedFile, IndexPlace } from "./file.ts";
import { findImages } from "./find.ts";
import { inspectFile, unreadEntry } from "./inspect.ts";
import { type Place, readFailure } from "./places.ts";
import { type Before, indexWriter } from "./writer.ts";

export interface BringInOptions {
  /** Only these files and folders (absolute paths), with all that is or was in the folders. */
  only?: readonly string[];
  signal?: AbortSignal;
  /** Files read at a time. */
  concurrency?: number;
  onDone?(): void;
  /** A file was new or changed, so it was read and is in the index now. */
  onWritten(entry: IndexedFile, before: Before): void;
  onRemoved(path: string): void;
}

/** Tries with a file that is written to while it is read. */
const tries = 4;
const unsettled = "another program writes to it all the time";
/** A second write within so short a time may leave size and time of change as they are. */
const restMs = 20;
const perCheck = 1000;

/**
 * Brings the index up to date with the disk: the whole dataset, or some files and folders. Any number of these may be at work on
 * one index, in this process and in others: a row goes only if this search did not see its file, the file is not there when
 * it is looked for once more, and nobody has written the row meanwhile.
 */
export async function bringIn(
  db: DatabaseSync,
  { root, images, maxPixels = defaultMaxPixels }: IndexPlace,
  { only, signal, concurrency, ...on }: BringInOptions,
): Promise<void> {
  const entries = indexedEntries(db, root);
  const mark = entries.nextMark(only);
  const known = db.prepare("SELECT size, mtimeMs, hash FROM files WHERE path = ?");
  const writer = indexWriter(db, root, mark, on.onWritten);
  // Told to have changed: then size and time prove nothing.
  const reread = new Set(only?.map((file) => toPosix(path.relative(root, file))));
  const onPlace = (place: Place) => writer.place(place);

  async function visit(file: string): Promise<void> {
    let stats = await statOf(file);
    if (!stats?.isFile()) return;
    const row = known.get(file);
    const isKnown = row && row.hash !== null && row.size === stats.size && row.mtimeMs === stats.mtimeMs;
    if (isKnown && !reread.has(file)) writer.touch(file);
    else {
      const age = Date.now() - stats.mtimeMs;
      if (age >= 0 && age < restMs) {
        await setTimeout(restMs - age);
        stats = await statOf(file);
        if (!stats?.isFile()) return;
      }
      const entry = await inspectFile(root, file, stats, maxPixels, signal);
      if (entry) writer.put({ entry, stats });
    }
    on.onDone?.();
  }

  async function statOf(file: string): Promise<Stats | undefined> {
    try {
      return await stat(path.join(root, file));
    } catch (error) {
      // Gone since it was listed.
      if (isMissing(error)) return undefined;
      const reason = readFailure(error);
      if (reason === undefined) throw explainFileSystemError(error, "read", path.join(root, file));
      onPlace({ path: file, kind: "unreadable", reason: inEnglish(say`it cannot be looked at: ${reason}`) });
      return undefined;
    }
  }

  async function visitAll(files: Iterable<string> | AsyncIterable<string>): Promise<void> {
    await forEachBounded(files, concurrency ?? 2 * Math.min(8, os.availableParallelism()), visit, signal);
    writer.flush();
  }

  async function settle(): Promise<void> {
    for (let attempt = 2; ; attempt++) {
      const files = writer.takeUnsettled();
      if (files.length === 0) return;
      if (attempt > tries) {
        for (const file of files) {
          const stats = await statOf(file);
          if (stats) writer.put({ entry: unreadEntry(file, stats, unsettled) });
        }
        writer.flush();
        return;
      }
      await setTimeout(2 * restMs * attempt);
      await visitAll(files);
    }
  }

  /** Entries of files that this search did not see; others may have written them since. */
  function* unseen(): Generator<Entry> {
    for (const file of only ?? [undefined]) yield* entries.within(file, mark);
  }

  /** Whether rows of files that are gone were written meanwhile, by one who saw the files before they went. */
  async function removeGone(some: Entry[]): Promise<boolean> {
    const there = new Set<string>();
    const files = some.map((one) => path.resolve(root, one.path));
    for await (const file of findImages(root, images, { only: files, signal })) there.add(file);
    const gone = some.filter((one) => !there.has(one.path));
    const removed = entries.removeUnchanged(gone);
    for (const file of removed) on.onRemoved(file);
    await visitAll(there);
    await settle();
    await setImmediate();
    return removed.length < gone.length;
  }

  await visitAll(findImages(root, images, { only, onPlace, signal }));
  await settle();
  for (let attempt = 1, again = true; again && attempt <= tries; attempt++) {
    again = false;
    for (const some of chunksOf(unseen(), perCheck)) if (await removeGone(some)) again = true;
  }
  entries.removePlaces(only, mark);
}
