import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import fastGlob from "fast-glob";

/** Where the files of `images:` may come up. */
export interface WatchRoots {
  /** Existing folders to start from; the deepest one above each place where images may lie. */
  anchors: string[];
  /** Whether the images in a folder (not those below it) are the dataset's. */
  holdsImages(folder: string): boolean;
  /** Whether images may lie in a folder or anywhere below it. */
  leadsToImages(folder: string): boolean;
}

interface Base {
  folder: string;
  /** How many folders deep below it images may lie. */
  depth: number;
}

/** `images` as in the config, relative to `root`. Folders that do not exist yet are waited for. */
export async function watchRoots(root: string, images: string | string[]): Promise<WatchRoots> {
  const bases: Base[] = [];
  const excluded: string[] = [];
  for (const entry of [images].flat()) {
    if (!entry.startsWith("!")) bases.push(...(await basesOf(root, entry)));
    else if (!fastGlob.isDynamicPattern(entry.slice(1))) excluded.push(path.resolve(root, entry.slice(1)));
  }
  const holdsImages = (folder: string) =>
    !excluded.some((one) => stepsDown(one, folder) !== undefined) &&
    bases.some((base) => {
      const steps = stepsDown(base.folder, folder);
      return steps !== undefined && steps.length <= base.depth && !steps.some(isPassedOver);
    });
  return {
    anchors: anchorsOf(root, bases),
    holdsImages,
    leadsToImages: (folder) =>
      holdsImages(folder) || bases.some((base) => stepsDown(folder, base.folder) !== undefined),
  };
}

async function basesOf(root: string, entry: string): Promise<Base[]> {
  const absolute = path.resolve(root, entry);
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isDirectory()) return [{ folder: absolute, depth: Number.POSITIVE_INFINITY }];
  if (found) return [{ folder: path.dirname(absolute), depth: 0 }];
  if (!fastGlob.isDynamicPattern(entry)) return [{ folder: absolute, depth: Number.POSITIVE_INFINITY }];
  const tasks = fastGlob.generateTasks(entry.replace(/^\.\//, ""), { cwd: root });
  return tasks.flatMap(({ base, patterns }) => {
    const folder = path.resolve(root, base);
    return patterns.map((pattern) => ({ folder, depth: depthOf(pattern, base) }));
  });
}

function depthOf(pattern: string, base: string): number {
  // Alternatives in parentheses may hold slashes of their own.
  if (pattern.includes("**") || pattern.includes("(")) return Number.POSITIVE_INFINITY;
  const rest = base === "." ? pattern : pattern.slice(base.length + 1);
  return rest.split("/").length - 1;
}

/** A folder that goes and comes back is noticed from above only. */
function anchorsOf(root: string, bases: Base[]): string[] {
  const anchors = new Set<string>();
  for (const { folder } of bases) {
    let anchor = folder === root ? folder : path.dirname(folder);
    while (!existsSync(anchor) && path.dirname(anchor) !== anchor) anchor = path.dirname(anchor);
    anchors.add(anchor);
  }
  const all = [...anchors];
  return all.filter((one) => !all.some((other) => other !== one && stepsDown(other, one) !== undefined));
}

/** Names of the folders from one folder down to another; undefined if that is not below it. */
function stepsDown(from: string, to: string): string[] | undefined {
  const relative = path.relative(from, to);
  if (relative === "") return [];
  const steps = relative.split(path.sep);
  return steps[0] === ".." || path.isAbsolute(relative) ? undefined : steps;
}

/** The same as when images are looked for. */
function isPassedOver(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}
