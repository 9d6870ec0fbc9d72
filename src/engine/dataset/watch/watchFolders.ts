import { constants, type FSWatcher, type Stats, watch } from "node:fs";
import { access, lstat, opendir, stat } from "node:fs/promises";
import path from "node:path";
import { isMissing } from "../../base/files.ts";
import { isImageName } from "../../images/format.ts";
import type { ImagePatterns } from "../index/patterns.ts";
import { readFailure } from "../index/places.ts";
import { folderVisits, type Visit } from "../index/visits.ts";

export interface FolderEvents {
  /** Something happened to a name in a watched folder that is no watched folder itself. */
  onEntry(file: string): void;
  /** A folder came, with all below it being watched by now, or went; or what happened in it cannot be told. */
  onFolder(folder: string): void;
  onError(error: unknown): void;
}

interface Watched {
  watcher: FSWatcher;
  visit: Visit;
  /** Another folder of the same name has another one. */
  identity: string;
  /** Names of the watched folders directly below. */
  below: Set<string>;
}

/**
 * Watches the folders where images may lie, the same that are searched, with one of the system's watches each; files cost
 * nothing. Begins at existing folders and resolves once all are watched.
 */
export async function watchFolders(
  patterns: ImagePatterns,
  anchors: readonly string[],
  events: FolderEvents,
): Promise<{ close(): void }> {
  const visits = folderVisits(patterns);
  const watched = new Map<string, Watched>();
  /** Looks under way; true: something happened since it began. */
  const looking = new Map<string, boolean>();
  let closed = false;

  /** Watches a folder before its content is read, so that nothing falls between the two. */
  async function enter(first: Visit): Promise<void> {
    const queue = [first];
    for (let visit = queue.pop(); visit !== undefined; visit = queue.pop()) {
      const { folder } = visit;
      if (closed || watched.has(folder)) continue;
      try {
        const identity = await identityOf(folder);
        if (identity === undefined || closed || watched.has(folder)) continue;
        begin(visit, identity);
        for await (const entry of await opendir(folder, { bufferSize: 256 })) {
          const child = path.join(folder, entry.name);
          if (!entry.isDirectory() && !(entry.isSymbolicLink() && (await isFolder(child)))) continue;
          const next = await visits.next(visit, child, entry.isSymbolicLink());
          if (next.visit) queue.push(next.visit);
        }
      } catch (error) {
        // A folder that may not be read is told by the index; its parent tells when that changes.
        if (!isMissing(error) && readFailure(error) === undefined) events.onError(error);
      }
    }
  }

  function begin(visit: Visit, identity: string): void {
    const { folder } = visit;
    const watcher = watch(folder, (event, name) => hear(folder, event, name));
    // A watched folder that goes is an error on some systems; its parent tells of it.
    watcher.on("error", () => void look(folder));
    watched.set(folder, { watcher, visit, identity, below: new Set() });
    watched.get(path.dirname(folder))?.below.add(path.basename(folder));
  }

  function leave(folder: string): void {
    const known = watched.get(folder);
    if (!known) return;
    known.watcher.close();
    watched.delete(folder);
    watched.get(path.dirname(folder))?.below.delete(path.basename(folder));
    for (const name of known.below) leave(path.join(folder, name));
  }

  function hear(folder: string, event: string, name: string | null): void {
    if (closed) return;
    // A name that is not UTF-8 cannot be told.
    if (name === null || name.includes("\ufffd")) {
      events.onFolder(folder);
      void look(folder);
      return;
    }
    const child = path.join(folder, name);
    if (!watched.has(child)) events.onEntry(child);
    // "change" may be that a folder can be read now, or no more.
    const mayBeFolder = event === "rename" || watched.has(child) || !isImageName(name);
    if (mayBeFolder && patterns.leadsToImages(child)) void look(child);
    // A folder that goes says so with its own name.
    if (event === "rename" && name === path.basename(folder)) void look(folder);
  }

  /** Is there a folder now, and is it the one that is watched? */
  async function look(folder: string): Promise<void> {
    if (looking.has(folder)) {
      looking.set(folder, true);
      return;
    }
    do {
      looking.set(folder, false);
      const identity = await identityOf(folder).catch(() => undefined);
      const known = watched.get(folder);
      if (identity !== undefined && known?.identity === identity) continue;
      if (known) leave(folder);
      if (identity !== undefined) {
        const visit = await visitOf(folder);
        if (visit) await enter(visit);
      }
      if (!closed && (known || identity !== undefined)) events.onFolder(folder);
    } while (!closed && looking.get(folder));
    looking.delete(folder);
  }

  async function visitOf(folder: string): Promise<Visit | undefined> {
    const parent = watched.get(path.dirname(folder));
    if (!parent) return anchors.includes(folder) ? visits.begin(folder) : undefined;
    const stats = await lstat(folder).catch(() => undefined);
    return stats && (await visits.next(parent.visit, folder, stats.isSymbolicLink())).visit;
  }

  for (const anchor of anchors) await enter(await visits.begin(anchor));
  return {
    close() {
      closed = true;
      for (const { watcher } of watched.values()) watcher.close();
      watched.clear();
    },
  };
}

/** Numbers of deleted folders are given to new ones, so the time of birth counts too. undefined for what is no folder. */
async function identityOf(folder: string): Promise<string | undefined> {
  const stats: Stats | undefined = await stat(folder).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!stats?.isDirectory()) return undefined;
  const readable = await access(folder, constants.R_OK | constants.X_OK).then(
    () => "",
    () => " unreadable",
  );
  return `${stats.dev}-${stats.ino}-${stats.birthtimeMs}${readable}`;
}

async function isFolder(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
