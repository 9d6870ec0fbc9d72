import { lstat, readlink, stat } from "node:fs/promises";
import path from "node:path";
import { type FSWatcher, watch } from "chokidar";

/** Watches a few files that may come, go, be replaced, or be links: by their folders, since a watch on a file ends with it. */
export interface FileWatch {
  /**
   * Names the files (absolute paths) anew; a folder counts as changed when something in it comes or goes. What happens to them
   * after it has resolved is told: read them then.
   */
  set(files: readonly string[], options: { usePolling: boolean }): Promise<void>;
  close(): void;
}

/** Looks without a word from the system: network drives and links tell nothing, and a word may get lost. */
const lookMs = 2000;
const pollMs = 1000;
/** A file has come to rest when nothing is new for so long; one that never does is told all the same. */
const quietMs = 120;
const patienceMs = 1000;
const mostLinks = 20;

/**
 * Calls `onChanged` after a file is another than before. What counts is what the files are: every word of the system only leads
 * to a look at them, and a look is taken every other second in any case. So nothing that happens to a file can end the watch.
 */
export function watchFiles(onChanged: (files: string[]) => void): FileWatch {
  let files: readonly string[] = [];
  let polling = false;
  /** What each file was when it was told of last, and when it was looked at last. */
  const told = new Map<string, string>();
  const seen = new Map<string, string>();
  let watched: { watcher: FSWatcher; folders: string } | undefined;
  let changedSince: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let closed = false;

  function later(ms: number): void {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      looking = looking.then(look, look);
    }, ms);
    timer.unref();
  }

  async function look(): Promise<void> {
    if (closed) return;
    const now = new Map<string, string>();
    for (const file of files) now.set(file, await stampOf(file));
    if (closed) return;
    await follow();
    if (closed) return;
    const isRestless = [...now].some(([file, stamp]) => seen.get(file) !== stamp);
    for (const [file, stamp] of now) seen.set(file, stamp);
    const changed = [...now].filter(([file, stamp]) => told.get(file) !== stamp).map(([file]) => file);
    if (changed.length === 0) changedSince = undefined;
    else changedSince ??= performance.now();
    const tell = changedSince !== undefined && (!isRestless || performance.now() - changedSince > patienceMs);
    if (tell) {
      changedSince = undefined;
      for (const file of changed) told.set(file, now.get(file)!);
      onChanged(changed);
    }
    later(changedSince !== undefined ? quietMs : polling ? pollMs : lookMs);
  }

  /** Watches the folders that the files lie in by now; of what else is in them nothing is kept. */
  async function follow(): Promise<void> {
    const wanted = new Map<string, string>();
    if (!polling) for (const file of files) for (const folder of await foldersOf(file)) wanted.set(...folder);
    const folders = JSON.stringify([...wanted]);
    if (closed || watched?.folders === folders) return;
    void watched?.watcher.close();
    watched = undefined;
    if (wanted.size === 0) return;
    const named = new Set([...wanted.keys(), ...files]);
    const watcher = watch([...wanted.keys()], {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (found) =>
        !named.has(path.resolve(found)) && !files.includes(path.dirname(path.resolve(found))),
    });
    watcher.on("all", () => later(changedSince === undefined ? 20 : quietMs));
    // No more watches, or no permission: it is looked at in any case.
    watcher.on("error", () => {});
    watched = { watcher, folders };
  }

  return {
    async set(next, { usePolling }) {
      if (closed) return;
      const same =
        usePolling === polling && next.length === files.length && next.every((one) => files.includes(one));
      files = [...next];
      polling = usePolling;
      if (same) return;
      for (const known of [told, seen])
        for (const file of [...known.keys()]) if (!files.includes(file)) known.delete(file);
      looking = looking.then(async () => {
        // As they are now is what the caller knows.
        for (const file of files) {
          if (told.has(file)) continue;
          const stamp = await stampOf(file);
          told.set(file, stamp);
          seen.set(file, stamp);
        }
        await follow();
        later(quietMs);
      });
      await looking;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      void watched?.watcher.close();
    },
  };
}

/** Another text for another file or other content. */
async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    // Of a file that was just written, a second write may leave all of these as they are.
    const age = Date.now() - Number(ctimeNs / 1_000_000n);
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}${age >= 0 && age < quietMs / 2 ? " young" : ""}`;
  } catch (error) {
    return `${(error as { code?: unknown }).code}`;
  }
}

/** The folders in which something happens when a file changes: those of the file and of the links on the way, as far as they exist. */
async function foldersOf(file: string): Promise<[folder: string, identity: string][]> {
  const found: [string, string][] = [];
  let at = file;
  for (let links = 0; links < mostLinks; links++) {
    const nearest = await nearestFolder(path.dirname(at));
    if (nearest) found.push(nearest);
    const isLink = await lstat(at).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    );
    if (!isLink) break;
    at = path.resolve(path.dirname(at), await readlink(at).catch(() => ""));
  }
  const self = await identityOf(at);
  if (self) found.push([at, self]);
  return found;
}

async function nearestFolder(folder: string): Promise<[string, string] | undefined> {
  for (let at = folder; ; at = path.dirname(at)) {
    const identity = await identityOf(at);
    if (identity) return [at, identity];
    if (path.dirname(at) === at) return undefined;
  }
}

async function identityOf(folder: string): Promise<string | undefined> {
  const stats = await stat(folder).catch(() => undefined);
  return stats?.isDirectory() ? `${stats.dev}-${stats.ino}-${stats.birthtimeMs}` : undefined;
}
