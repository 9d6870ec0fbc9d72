import { type FSWatcher, type Stats, watch } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { isMissing } from "../files.ts";

export interface FolderEvents {
  /** Whether a folder, or one below it, is to be watched. */
  leadsToImages(folder: string): boolean;
  /** Something happened to a name in a watched folder that is no watched folder itself. */
  onEntry(file: string): void;
  /** A folder came, with all below it being watched by now, or went; or what happened in it cannot be told. */
  onFolder(folder: string): void;
  onError(error: unknown): void;
}

interface Watched {
  watcher: FSWatcher;
  /** Another folder of the same name has another one. */
  identity: string;
  /** Names of the watched folders directly below. */
  below: Set<string>;
}

/**
 * Watches folders to the bottom with one of the system's watches each; files cost nothing. Resolves once all are watched.
 * chokidar, which polls for us, keeps every file of a watched folder in memory and looks at all of them with each change.
 */
export async function watchFolders(
  anchors: readonly string[],
  events: FolderEvents,
): Promise<{ close(): void }> {
  const watched = new Map<string, Watched>();
  /** Looks under way; true: something happened since it began. */
  const looking = new Map<string, boolean>();
  let closed = false;

  /** Watches a folder before its content is read, so that nothing falls between the two. */
  async function enter(folder: string): Promise<void> {
    const queue = [folder];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (closed || watched.has(next) || !events.leadsToImages(next)) continue;
      try {
        const stats = await stat(next);
        if (!stats.isDirectory() || closed || watched.has(next)) continue;
        begin(next, stats);
        for await (const entry of await opendir(next, { bufferSize: 256 })) {
          const child = path.join(next, entry.name);
          if (entry.isDirectory() || (entry.isSymbolicLink() && !(await isLoop(next, child))))
            queue.push(child);
        }
      } catch (error) {
        if (!isMissing(error)) events.onError(error);
      }
    }
  }

  function begin(folder: string, stats: Stats): void {
    const watcher = watch(folder, (event, name) => hear(folder, event, name));
    // A watched folder that goes is an error on some systems; its parent tells of it.
    watcher.on("error", () => void look(folder));
    watched.set(folder, { watcher, identity: identityOf(stats), below: new Set() });
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
    if (name === null) {
      events.onFolder(folder);
      void look(folder);
      return;
    }
    const child = path.join(folder, name);
    if (!watched.has(child)) events.onEntry(child);
    if (event === "rename" && events.leadsToImages(child)) void look(child);
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
      const stats = await stat(folder).catch(() => undefined);
      const known = watched.get(folder);
      const isFolder = stats?.isDirectory() ?? false;
      if (isFolder && known?.identity === identityOf(stats!)) continue;
      if (known) leave(folder);
      if (isFolder) await enter(folder);
      if (!closed && (known || isFolder)) events.onFolder(folder);
    } while (!closed && looking.get(folder));
    looking.delete(folder);
  }

  for (const anchor of anchors) await enter(anchor);
  return {
    close() {
      closed = true;
      for (const { watcher } of watched.values()) watcher.close();
      watched.clear();
    },
  };
}

/** Numbers of deleted folders are given to new ones, so the time of birth counts too. */
function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}-${ino}-${birthtimeMs}`;
}

/** Whether a link leads back to a folder that it lies in. */
async function isLoop(folder: string, link: string): Promise<boolean> {
  const [from, to] = await Promise.all([realpath(folder), realpath(link).catch(() => "")]);
  return to === "" || from === to || from.startsWith(to + path.sep);
}
