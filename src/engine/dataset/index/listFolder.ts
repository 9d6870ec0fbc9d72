import { isUtf8 } from "node:buffer";
import type { Dir, Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import path from "node:path";
import { isMissing } from "../../base/files.ts";
import { upTo } from "./patterns.ts";

/** One name in a folder. */
export interface FolderEntry {
  name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** Lists what is in a folder, some at a time. `onBadName` gets the names that are not UTF-8: nothing can be opened by those. */
export type ListFolder = (
  folder: string,
  onBadName: (name: Buffer, entry: Omit<FolderEntry, "name">) => void,
) => AsyncIterable<FolderEntry[]>;

const perRead = 512;
const replacement = "\ufffd";

export async function* listFolder(
  folder: string,
  onBadName: Parameters<ListFolder>[1],
): AsyncGenerator<FolderEntry[]> {
  let doubtful = false;
  for await (const some of entriesOf(await opendir(folder, { bufferSize: perRead }))) {
    const good: FolderEntry[] = [];
    for (const entry of some) {
      // The character may stand in the name, or for bytes that are no character.
      if (!entry.name.includes(replacement) || (await exists(path.join(folder, entry.name))))
        good.push(entry);
      else doubtful = true;
    }
    yield good;
  }
  if (!doubtful) return;
  const options = { bufferSize: perRead, encoding: "buffer" as BufferEncoding };
  for await (const entry of await opendir(folder, options)) {
    const name = entry.name as unknown as Buffer;
    if (!isUtf8(name)) onBadName(name, entry);
  }
}

/** A call that waits costs a few microseconds, one through the thread pool ten times as many. */
async function* entriesOf(open: Dir): AsyncGenerator<Dirent[]> {
  try {
    for (;;) {
      const some: Dirent[] = [];
      for (let entry = open.readSync(); entry; entry = some.length < perRead ? open.readSync() : null)
        some.push(entry);
      if (some.length > 0) yield some;
      if (some.length < perRead) return;
    }
  } finally {
    open.closeSync();
  }
}

/**
 * Lists folders as if the disk held nothing but these files and folders (absolute paths), with all that is in the folders. A search
 * through it costs what they cost, however many files lie beside them, and finds exactly what a search of the whole would
 * find there.
 */
export function listOnly(paths: Iterable<string>): ListFolder {
  const asked = new Set<string>();
  /** Folders above, with the names that lead to what was asked for. */
  const above = new Map<string, Set<string>>();
  for (const file of paths) {
    asked.add(file);
    for (let child = file; ; ) {
      const parent = path.dirname(child);
      if (parent === child) break;
      const known = above.get(parent);
      if (known) {
        known.add(path.basename(child));
        break;
      }
      above.set(parent, new Set([path.basename(child)]));
      child = parent;
    }
  }
  return async function* list(folder, onBadName) {
    for (const one of upTo(folder)) {
      if (!asked.has(one)) continue;
      yield* listFolder(folder, onBadName);
      return;
    }
    for (const name of above.get(folder) ?? []) {
      try {
        // It answers the same questions as a directory entry.
        yield [Object.assign(await lstat(path.join(folder, name)), { name })];
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  };
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
