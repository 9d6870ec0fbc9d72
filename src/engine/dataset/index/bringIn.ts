import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { toPosix } from "../../base/posixPath.ts";
import { chunksOf } from "../../base/sqlite.ts";
import { defaultMaxPixels } from "../../images/limits.ts";
import { type Entry, indexedEntries } from "./entries.ts";
import type { IndexedFile, IndexPlace } from "./file.ts";
import { findImagesTogether } from "./find.ts";
import { fileLooks } from "./looks.ts";
import { fileVisits } from "./visitFiles.ts";
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

/** Tries where others write rows of files that are gone. */
const tries = 4;
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
    const { visit, settle } = fileVisits({
      root,
      maxPixels,
      entries,
      writer,
      looks,
      reading,
      // Told to have changed: then size and time prove nothing.
      reread: new Set(only?.map((file) => toPosix(path.relative(root, file)))),
      signal,
      onKnown(file) {
        if (marks) writer.touch(file);
        else met++;
      },
      onDone: marks && !only ? undefined : on.onDone,
    });

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

    for await (const files of findImagesTogether(root, images, { only, onPlace: writer.place, signal }))
      await visit(files);
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
