import { stat } from "node:fs/promises";
import path from "node:path";
import fastGlob from "fast-glob";
import { inEnglish, marked, say } from "../../../words/text.ts";
import { explainFileSystemError, throwIfCancelled } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { toPosix } from "../../base/posixPath.ts";
import { isImageName } from "../../images/format.ts";
import { type FolderEntry, listFolder, listOnly } from "./listFolder.ts";
import { type ImagePatterns, imagePatterns, isAtOrIn, isPassedOver } from "./patterns.ts";
import { type Place, readFailure, shownName } from "./places.ts";
import { folderVisits, type Visit } from "./visits.ts";

export interface FindOptions {
  /** Only these files and folders (absolute paths), with all that is in the folders. */
  only?: readonly string[];
  /** What is not searched, and why; and links that lead out. */
  onPlace?: (place: Place) => void;
  signal?: AbortSignal;
}

/**
 * Streams the paths (relative to `root`, forward slashes) of the image files that `images` names, each once: folders, which are
 * searched to the bottom, files, and globs; `!` leaves out. Dot files and folders and node_modules are passed over. Memory
 * does not grow with the files. Throws a LeafError `config` for a named folder that does not exist, unless `only` narrows the
 * search, and `cancelled`.
 */
export async function* findImages(
  root: string,
  images: string | readonly string[],
  options: FindOptions = {},
): AsyncGenerator<string> {
  for await (const some of findImagesTogether(root, images, options)) yield* some;
}

/** The same, some hundred of one folder at a time. */
export async function* findImagesTogether(
  root: string,
  images: string | readonly string[],
  { only, onPlace = () => {}, signal }: FindOptions = {},
): AsyncGenerator<string[]> {
  const patterns = await imagePatterns(root, images, { mustExist: !only });
  const visits = folderVisits(patterns);
  const list = only ? listOnly(only) : listFolder;
  const waiting: Visit[] = [];
  for (const folder of topsOf(patterns))
    if (await mayBeFolder(folder)) waiting.push(await visits.begin(folder));

  for (let visit = waiting.pop(); visit; visit = waiting.pop()) {
    const { folder } = visit;
    const { here } = visit.trail ? patterns.rulesOf(folder) : { here: [] };
    const inIndex = toPosix(path.relative(root, folder));
    const nameOf = (name: string) => (inIndex === "" ? name : `${inIndex}/${name}`);
    const isImage = (name: string) => here.length > 0 && isImageName(name) && !isPassedOver(name);
    const onBadName = (name: Buffer, entry: Omit<FolderEntry, "name">) => {
      const text = name.toString("latin1");
      // Where nothing but the way to other folders is looked for, a name is nobody's.
      if (here.length === 0 || isPassedOver(text) || (entry.isFile() && !isImageName(text))) return;
      const reason = marked("its name is not UTF-8, so that it cannot be opened: rename it");
      onPlace({ path: nameOf(shownName(name)), kind: "name", reason });
    };
    try {
      for await (const entries of list(folder, onBadName)) {
        throwIfCancelled(signal);
        const found: string[] = [];
        for (const entry of entries) {
          const { name } = entry;
          const isLink = entry.isSymbolicLink();
          const kind = isLink ? await kindOfTarget(path.join(folder, name)) : kindOf(entry);
          if (kind === "file") {
            if (!isImage(name) || !patterns.holds(nameOf(name), here)) continue;
            const outside = isLink ? await visits.outsideOf(path.join(folder, name)) : undefined;
            if (outside) {
              const reason = inEnglish(
                say`the link leads out of the project's folder, to ${outside}; the image is used`,
              );
              onPlace({ path: nameOf(name), kind: "outside", reason });
            }
            found.push(nameOf(name));
          } else if (kind === "folder") {
            const next = await visits.next(visit, path.join(folder, name), isLink);
            if (next.place) onPlace({ path: nameOf(name), ...next.place });
            if (next.visit) waiting.push(next.visit);
          } else if (typeof kind === "object") {
            const wanted = isImage(name)
              ? patterns.holds(nameOf(name), here)
              : visit.trail && patterns.leadsToImages(path.join(folder, name));
            if (wanted) onPlace({ path: nameOf(name), kind: "link", reason: kind.reason });
          }
        }
        if (found.length > 0) yield found;
      }
    } catch (error) {
      if (isMissing(error)) continue;
      const reason = readFailure(error);
      if (reason === undefined) throw explainFileSystemError(error, "read", folder);
      onPlace({
        path: inIndex || ".",
        kind: "unreadable",
        reason: inEnglish(say`the folder cannot be read: ${reason}`),
      });
    }
  }
}

type Kind = "folder" | "file" | "other" | { reason: string };

function kindOf(entry: FolderEntry): Kind {
  return entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
}

async function kindOfTarget(link: string): Promise<Kind> {
  try {
    const stats = await stat(link);
    return stats.isDirectory() ? "folder" : stats.isFile() ? "file" : "other";
  } catch (error) {
    if (isMissing(error)) return { reason: marked("the link leads to nothing") };
    const reason = readFailure(error);
    if (reason === undefined) throw error;
    return { reason: inEnglish(say`the link cannot be followed: ${reason}`) };
  }
}

/** The bases that are not met on the way through another. */
function topsOf({ bases }: ImagePatterns): string[] {
  const tops: string[] = [];
  // A folder stands before what is in it.
  for (const base of [...bases].sort()) if (!tops.some((top) => isAtOrIn(base, top))) tops.push(base);
  return tops;
}

/** Also one that may not be looked at: it is told when it is searched. */
async function mayBeFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    return !isMissing(error);
  }
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
