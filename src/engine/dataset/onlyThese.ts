import fs, { type Dirent, type Stats } from "node:fs";
import path from "node:path";
import type { FileSystemAdapter } from "fast-glob";

/**
 * The file system as if it held nothing but these files and folders (absolute paths), with all that is in the folders. A search
 * through it costs what they cost, however many files lie beside them, and finds exactly what a search of the whole would
 * find there.
 */
export function onlyThese(paths: Iterable<string>): Partial<FileSystemAdapter> {
  const asked = new Set<string>();
  /** Folders above, with the names that lead to what was asked for. */
  const above = new Map<string, Set<string>>();
  for (const one of paths) {
    const file = path.resolve(one);
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

  const isInside = (file: string): boolean => {
    for (let at = path.resolve(file); ; ) {
      if (asked.has(at)) return true;
      const parent = path.dirname(at);
      if (parent === at) return false;
      at = parent;
    }
  };
  const exists = (file: string) => above.has(path.resolve(file)) || isInside(file);
  const missing = (file: string) =>
    Object.assign(new Error(`ENOENT: no such file or directory, '${file}'`), { code: "ENOENT" });

  return {
    lstat: (file, done) =>
      exists(file) ? fs.lstat(file, done) : done(missing(file), undefined as unknown as Stats),
    stat: (file, done) =>
      exists(file) ? fs.stat(file, done) : done(missing(file), undefined as unknown as Stats),
    readdir: ((folder, options, done) => {
      if (isInside(folder)) {
        fs.readdir(folder, options, done);
        return;
      }
      const names = [...(above.get(path.resolve(folder)) ?? [])];
      void Promise.all(names.map((name) => entryOf(folder, name))).then((entries) =>
        done(
          null,
          entries.filter((entry) => entry !== undefined),
        ),
      );
    }) as FileSystemAdapter["readdir"],
  };
}

/** What readdir would tell of one name; undefined if there is none such. */
async function entryOf(folder: string, name: string): Promise<Dirent | undefined> {
  try {
    // It answers the same questions as a directory entry.
    return Object.assign(await fs.promises.lstat(path.join(folder, name)), { name }) as unknown as Dirent;
  } catch {
    return undefined;
  }
}
