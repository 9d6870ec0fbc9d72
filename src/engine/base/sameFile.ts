import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { endOfLinks } from "./editFile.ts";

/** A file, or the place where one would be, however its name is spelled. */
export interface Place {
  /** Absolute, through all links. */
  path: string;
  stats?: BigIntStats;
}

export async function placeOf(file: string): Promise<Place> {
  const end = await endOfLinks(file);
  const [folder, stats] = await Promise.all([
    realpath(path.dirname(end)).catch(() => path.dirname(end)),
    stat(end, { bigint: true }).catch(() => undefined),
  ]);
  return { path: path.join(folder, path.basename(end)), stats };
}

/** Also by another name of the same file: a hard link, or another case on a disk that takes both for one. */
export function isSamePlace(a: Place, b: Place): boolean {
  // Disks without numbers of files give 0.
  if (a.stats?.ino && b.stats?.ino) return a.stats.ino === b.stats.ino && a.stats.dev === b.stats.dev;
  return foldedCase(a.path) === foldedCase(b.path);
}

export function isInside({ path: file }: Place, folder: Place): boolean {
  const relative = path.relative(foldedCase(folder.path), foldedCase(file));
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}

/** Where there is no file yet, only the name can tell; these systems mostly take both cases for one. */
function foldedCase(file: string): string {
  return process.platform === "win32" || process.platform === "darwin" ? file.toLowerCase() : file;
}
