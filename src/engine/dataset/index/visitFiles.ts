import type { Stats } from "node:fs";
import path from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { inEnglish, say } from "../../../words/text.ts";
import { explainFileSystemError, throwIfCancelled } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { forEachBounded } from "../../base/pool.ts";
import type { IndexedEntries } from "./entries.ts";
import { inspectFile, unreadEntry } from "./inspect.ts";
import type { fileLooks, Look } from "./looks.ts";
import { readFailure } from "./places.ts";
import type { IndexWriter } from "./writer.ts";

/** Tries with a file that is written to while it is read. */
const tries = 4;
const unsettled = "another program writes to it all the time";
/** A second write within so short a time may leave size and time of change as they are. */
const restMs = 20;

export interface FileVisitOptions {
  root: string;
  maxPixels: number;
  entries: IndexedEntries;
  writer: IndexWriter;
  looks: ReturnType<typeof fileLooks>;
  /** Files that are read at a time. */
  reading: number;
  /** Read whatever their size and time say; paths as in the index. */
  reread: ReadonlySet<string>;
  signal?: AbortSignal;
  /** A file is as the index knows it. */
  onKnown(file: string): void;
  onDone?(): void;
}

/** Looks at files, and reads those that the index does not know as they are. */
export interface FileVisits {
  /** Paths as in the index. */
  visit(files: string[]): Promise<void>;
  /** Visits those again that were changed while they were read, until they stay as they are. */
  settle(): Promise<void>;
}

export function fileVisits(options: FileVisitOptions): FileVisits {
  const { root, maxPixels, entries, writer, looks, reading, reread, signal, onKnown, onDone } = options;

  function found(file: string, { stats, error }: Look): Stats | undefined {
    if (error === undefined) return stats?.isFile() ? stats : undefined;
    // Gone since it was listed.
    if (isMissing(error)) return undefined;
    const reason = readFailure(error);
    if (reason === undefined) throw explainFileSystemError(error, "read", path.join(root, file));
    const told = inEnglish(say`it cannot be looked at: ${reason}`);
    writer.place({ path: file, kind: "unreadable", reason: told });
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
      onKnown(file);
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

  return { visit, settle };
}
