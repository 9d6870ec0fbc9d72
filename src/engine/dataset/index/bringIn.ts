import type { Stats } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate, setTimeout } from "node:timers/promises";
import { inEnglish, say } from "../../../words/text.ts";
import { explainFileSystemError, throwIfCancelled } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { forEachBounded } from "../../base/pool.ts";
import { toPosix } from "../../base/posixPath.ts";
import { chunksOf } from "../../base/sqlite.ts";
import { defaultMaxPixels } from "../../images/limits.ts";
import type { Entry } from "./entries.ts";
import { indexedEntries } from "./entries.ts";
import type { IndexedFile, IndexPlace } from "./file.ts";
import { findImagesTogether } from "./find.ts";
import { inspectFile, unreadEntry } from "./inspect.ts";
import { fileLooks, type Look } from "./looks.ts";
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
 *
 * A search of the whole writes nothing of files that are as the index knows them. Where it met as many files as the index has rows,
 * and nobody else wrote, none has gone. Else it goes once more and marks what it sees, so that the others can be told.
 */
export async function bringIn(
  db: DatabaseSync,
  place: IndexPlace,
  { only, signal, concurrency, ...on }: BringInOptions,
): Promise<void> {
  const { root, images, maxPixels = defaultMaxPixels } = place;
  const entries = indexedEntries(db, root);
  const reading = concurrency ?? 2 * Math.min(8, os.availableParallelism());
  const looks = fileLooks();

  async function search(marks: boolean): Promise<{ mark: number; met: number }> {
    const mark = entries.nextMark(only, marks);
    let met = 0;
    const writer = indexWriter(db, root, mark, (entry, before) => {
      met++;
      on.onWritten(entry, before);
    });
    // Told to have changed: then size and time prove nothing.
    const reread = new Set(only?.map((file) => toPosix(path.relative(root, file))));
    const onPlace = (place: Place) => writer.place(place);
    const onDone = marks && !only ? undefined : on.onDone;

    function found(file: string, { stats, error }: Look): Stats | undefined {
      if (error === undefined) return stats?.isFile() ? stats : undefined;
      // Gone since it was listed.
      if (isMissing(error)) return undefined;
      const reason = readFailure(error);
      if (reason === undefined) throw explainFileSystemError(error, "read", path.join(root, file));
      onPlace({ path: file, kind: "unreadable", reason: inEnglish(say`it cannot be looked at: ${reason}`) });
      return undefined;
    }

    async function lookAt(file: string): Promise<Stats | undefined> {
      const [look] = await looks([path.join(root, file)]);
      return found(file, look!);
    }

    async function read(file: string, stats: Stats): Promise<void> {
      const age = Date.now() - stats.mtimeMs;
      let now: Stats | undefined = stats;
      if (age >= 0 && age < restMs) {
        await setTimeout(restMs - age);
        now = await lookAt(file);
      }
      const entry = now && (await inspectFile(root, file, now, maxPixels, signal));
      if (entry) writer.put({ entry, stats: now });
    }

    async function visit(files: string[]): Promise<void> {
      throwIfCancelled(signal);
      const isKnown = entries.areKnown(files);
      const changed: [string, Stats][] = [];
      for (const [i, look] of (await looks(files.map((file) => `${root}/${file}`))).entries()) {
        const file = files[i]!;
        const stats = found(file, look);
        if (!stats) continue;
        if (!isKnown(i, stats) || reread.has(file)) {
          changed.push([file, stats]);
          continue;
        }
        if (marks) writer.touch(file);
        else met++;
        onDone?.();
      }
      const readOne = async ([file, stats]: [string, Stats]) => {
        await read(file, stats);
        onDone?.();
      };
      await forEachBounded(changed, reading, readOne, signal);
      // Files of local disks are looked at without a pause.
      await setImmediate();
    }

    async function settle(): Promise<void> {
      for (let attempt = 2; ; attempt++) {
        const files = writer.takeUnsettled();
        if (files.length === 0) return;
        if (attempt > tries) {
          for (const file of files) {
            const stats = await lookAt(file);
            if (stats) writer.put({ entry: unreadEntry(file, stats, unsettled) });
          }
          writer.flush();
          return;
        }
        await setTimeout(2 * restMs * attempt);
        await visit(files);
        writer.flush();
      }
    }

    /** Entries of files that this search did not see; others may have written them since. */
    function* unseen(): Generator<Entry> {
      for (const file of only ?? [undefined]) yield* entries.within(file, mark);
    }

    async function listed(only: string[]): Promise<string[]> {
      const found: string[] = [];
      for await (const files of findImagesTogether(root, images, { only, signal })) found.push(...files);
      return found;
    }

    /** Whether rows of files that are gone were written meanwhile, by one who saw the files before they went. */
    async function removeGone(some: Entry[]): Promise<boolean> {
      const absolute = some.map((one) => path.resolve(root, one.path));
      const there = new Set(await listed(absolute));
      const gone = some.filter((one) => !there.has(one.path));
      const removed = entries.removeUnchanged(gone);
      for (const file of removed) on.onRemoved(file);
      // Once more those too: who sees a file that was gone for a moment relies on its row and writes nothing.
      const back = removed.map((file) => path.resolve(root, file));
      const again = await listed(back);
      await visit([...there, ...again]);
      writer.flush();
      await settle();
      return removed.length < gone.length;
    }

    for await (const files of findImagesTogether(root, images, { only, onPlace, signal })) await visit(files);
    writer.flush();
    await settle();
    if (marks)
      for (let attempt = 1, again = true; again && attempt <= tries; attempt++) {
        again = false;
        for (const some of chunksOf(unseen(), perCheck)) if (await removeGone(some)) again = true;
      }
    return { mark, met };
  }

  const before = entries.state();
  let { mark, met } = await search(only !== undefined);
  const after = entries.state();
  if (!only && (after.files !== met || after.others !== before.others)) ({ mark } = await search(true));
  entries.removePlaces(only, mark);
}
