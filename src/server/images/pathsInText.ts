import path from "node:path";
import { fileURLToPath } from "node:url";
import { imageExtensions } from "../../engine/images/format.ts";

/** A piece of text that may be the path of an image, as it is written there. */
export interface PathCandidate {
  /** Offsets in the text, the end exclusive. */
  start: number;
  end: number;
  path: string;
}

export interface PathPlaces {
  /** Folder of the document that the text is from. */
  documentFolder: string;
  /** Folders that a path may be relative to, the likeliest first: the workspace's, a config's, those under `images:`. */
  roots: readonly string[];
  /** Whether there is a file. */
  exists(file: string): boolean;
}

const extension = new RegExp(`\\.(?:${imageExtensions.join("|")})(?!\\w|\\.\\w)`, "gi");
/** Behind any of these a path may begin; which of them it is, the files tell. */
const boundary = /[\s"'`<>()[\]{},;|=*]/g;
const url = /(?:^|[^a-z0-9+.-])([a-z][a-z0-9+.-]*):\/\/[^\s"'`<>,;|]*$/i;
/** Nobody reads longer paths, and lines may be whole files. */
const longest = 400;
const mostStarts = 24;
const mostEndings = 500;

/**
 * Where image paths may stand in a line of any text: candidates by their end, those of one end from the longest to the
 * shortest, since a blank or a bracket may be part of a name or not. What belongs to a URL other than `file:` is none.
 */
export function findPathCandidates(text: string): PathCandidate[] {
  const candidates: PathCandidate[] = [];
  let endings = 0;
  for (const match of text.matchAll(extension)) {
    if (++endings > mostEndings) break;
    const end = match.index + match[0].length;
    const from = Math.max(0, match.index - longest);
    const before = text.slice(from, match.index);
    const scheme = url.exec(before.slice(before.lastIndexOf("](") + 1))?.[1]?.toLowerCase();
    if (scheme !== undefined && scheme !== "file") continue;
    const starts = from === 0 ? [0] : [];
    for (const one of before.matchAll(boundary)) starts.push(from + one.index + 1);
    for (const start of starts.slice(-mostStarts)) {
      const path = text.slice(start, end);
      // A lone ".jpg", and a blank that the next start leaves out.
      if (start < match.index && path.trimStart() === path) candidates.push({ start, end, path });
    }
  }
  return candidates;
}

/** Whether a path is the target of a link or image in Markdown: VS Code then shows the picture in a hover of its own. */
export function isMarkdownLink(
  document: string,
  text: string,
  { start, end }: { start: number; end: number },
): boolean {
  return (
    /\.(?:md|markdown)$/i.test(document) &&
    /\]\(\s*<?$/.test(text.slice(0, start)) &&
    /^[>)\s]/.test(text.slice(end))
  );
}

/** The file that a written path means, as an absolute path; undefined where there is none. */
export function resolveCandidate(written: string, places: PathPlaces): string | undefined {
  for (const name of readings(written)) {
    for (const file of filesOf(name, places)) if (places.exists(file)) return file;
  }
  return undefined;
}

/** Image files whose paths stand in a line, each place once, in their order. */
export function imagePathsInLine(text: string, places: PathPlaces): (PathCandidate & { file: string })[] {
  const found: (PathCandidate & { file: string })[] = [];
  let behind = 0;
  for (const candidate of findPathCandidates(text)) {
    if (candidate.start < behind) continue;
    const file = resolveCandidate(candidate.path, places);
    if (!file) continue;
    found.push({ ...candidate, file });
    behind = candidate.end;
  }
  return found;
}

/** The one that a character of the line belongs to. */
export function imagePathAt(
  text: string,
  character: number,
  places: PathPlaces,
): (PathCandidate & { file: string }) | undefined {
  // Paths end near where they are looked for.
  const from = Math.max(0, character - longest);
  const near = text.slice(from, character + longest);
  const at = character - from;
  const hit = imagePathsInLine(near, places).find(({ start, end }) => start <= at && at <= end);
  return hit && { ...hit, start: hit.start + from, end: hit.end + from };
}

/** What a text may mean: as it stands, then without the escapes of JSON, Windows, URLs and HTML. */
function readings(written: string): Set<string> {
  const readings = new Set([written]);
  if (/^file:/i.test(written)) {
    readings.clear();
    try {
      readings.add(fileURLToPath(written.replaceAll("\\", "/")));
    } catch {
      // Of another machine, or damaged.
    }
    return readings;
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(written)) return new Set();
  if (written.includes("\\")) {
    for (const reading of [...readings]) {
      readings.add(unescapeJson(reading));
      readings.add(reading.replace(/\\+/g, "/"));
    }
  }
  if (written.includes("&")) for (const reading of [...readings]) readings.add(unescapeHtml(reading));
  if (written.includes("%")) for (const reading of [...readings]) readings.add(unescapeUrl(reading));
  return readings;
}

function unescapeJson(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`)).replace(/\\+/g, "/");
  } catch {
    return text.replace(/\\(.)/g, "$1");
  }
}

function unescapeUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'" };

function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name: string) => entities[name]!);
}

function* filesOf(name: string, { documentFolder, roots }: PathPlaces): Generator<string> {
  if (name.includes("\0")) return;
  if (path.isAbsolute(name)) yield path.normalize(name);
  const relative = name.replace(/^[/\\]+/, "");
  // "/img/a.png" of a web page is below its root.
  if (relative === name) yield path.resolve(documentFolder, name);
  for (const root of roots) yield path.resolve(root, relative);
}
