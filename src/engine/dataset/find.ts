import { stat } from "node:fs/promises";
import path from "node:path";
import fastGlob, { type FileSystemAdapter } from "fast-glob";
import { LeafError } from "../errors.ts";
import { imageExtensions, isImageName } from "../images/format.ts";

const ignored = ["**/node_modules/**", "**/.*/**", "**/.*"];
/** `**` does not reach above the root. */
const above = /^(\.\.\/)+/;
const extensions = `{${imageExtensions.join(",")}}`;

/**
 * Streams the paths (relative to `root`, forward slashes) of the image files that `images` names: folders, which are searched
 * to the bottom, and globs; `!glob` leaves files out. Dot files and folders and node_modules are passed over. Overlapping
 * patterns may yield a path twice. Throws a LeafError `config` for a folder that does not exist, unless `within` narrows the
 * search to a part of the file system.
 */
export async function* findImages(
  root: string,
  images: string | string[],
  within?: Partial<FileSystemAdapter>,
): AsyncGenerator<string> {
  const patterns: string[] = [];
  const ignore = [...ignored];
  for (const entry of Array.isArray(images) ? images : [images]) {
    if (entry.startsWith("!")) ignore.push(...(await toPatterns(root, entry.slice(1), false)));
    else patterns.push(...(await toPatterns(root, entry, !within)));
  }
  const prefixes = new Set(patterns.map((pattern) => above.exec(pattern)?.[0] ?? ""));
  for (const prefix of prefixes) if (prefix) ignore.push(...ignored.map((pattern) => prefix + pattern));
  const stream = fastGlob.stream(patterns, {
    cwd: root,
    ignore,
    caseSensitiveMatch: false,
    // A set of all paths would grow with the dataset; the index tells what it has seen.
    unique: false,
    suppressErrors: true,
    fs: within,
  });
  for await (const found of stream) {
    const file = String(found);
    if (!isImageName(file)) continue;
    yield path.isAbsolute(file) ? toPosix(path.relative(root, file)) : path.posix.normalize(file);
  }
}

async function toPatterns(root: string, entry: string, mustExist: boolean): Promise<string[]> {
  const absolute = path.resolve(root, entry);
  const found = await stat(absolute).catch(() => undefined);
  // Relative wherever possible: so that a dot folder above the project does not count as one inside it.
  const relative = toPosix(path.relative(root, absolute)) || ".";
  const literal = fastGlob.escapePath(relative);
  if (found?.isDirectory())
    return [relative === "." ? `**/*.${extensions}` : `${literal}/**/*.${extensions}`];
  if (found?.isFile()) return [literal];
  if (mustExist && !fastGlob.isDynamicPattern(entry)) {
    throw new LeafError("config", `\`images\`: ${entry} does not exist.`, {
      file: absolute,
      remedy: "Name a folder or a glob relative to the config file.",
    });
  }
  return [entry.replace(/^\.\//, "")];
}

export function toPosix(file: string): string {
  return path.sep === "\\" ? file.replaceAll("\\", "/") : file;
}

/** The folders to watch for images: those named, and for a glob the part before its first wildcard. Absolute paths. */
export function imageFolders(root: string, images: string | string[]): string[] {
  const entries = [images].flat().filter((entry) => !entry.startsWith("!"));
  const folders = entries.map((entry) => {
    const parts = entry.split("/");
    const wild = parts.findIndex((part) => fastGlob.isDynamicPattern(part));
    return path.resolve(root, wild < 0 ? entry : parts.slice(0, wild).join("/"));
  });
  return [...new Set(folders)];
}
