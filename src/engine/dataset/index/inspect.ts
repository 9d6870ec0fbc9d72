import type { Stats } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { inEnglish, say } from "../../../words/text.ts";
import { explainFileSystemError, LeafError, throwIfCancelled } from "../../base/errors.ts";
import { hashAside, hashBytes, hashFile, isMissing, readSmallFile } from "../../base/files.ts";
import { isUnreadable, probeImage } from "../../images/decode.ts";
import { endsWell, hasEnd, noEndMarker, tailBytes } from "../../images/ending.ts";
import { displayName, formatOfExtension, type ImageFormat } from "../../images/format.ts";
import { fileBytes, tooManyPixels } from "../../images/limits.ts";
import type { IndexedFile } from "./file.ts";
import { readFailure } from "./places.ts";

/** Enough for the header of nearly every file: EXIF, ICC and thumbnails come first. */
const headBytes = 128 * 1024;

/** What is known of a file before it is read. Without a hash, the next look reads it. */
export function unreadEntry(
  file: string,
  { size, mtimeMs }: Stats,
  error: string | null = null,
): IndexedFile {
  const nothing = { hash: null, format: null, width: null, height: null, note: null };
  return { path: file, size, mtimeMs, ...nothing, error };
}

/** Reads a file once: hash, header and end. undefined if it has gone meanwhile. */
export async function inspectFile(
  root: string,
  file: string,
  stats: Stats,
  maxPixels: number,
  signal?: AbortSignal,
): Promise<IndexedFile | undefined> {
  const absolute = path.join(root, file);
  const entry = unreadEntry(file, stats);
  try {
    const { hash, head, tail } = await readOnce(absolute, stats.size, signal);
    entry.hash = hash;
    const header = await probeImage(head, head.length < stats.size ? absolute : undefined);
    Object.assign(entry, header);
    const promised = formatOfExtension[path.posix.extname(file).slice(1).toLowerCase()];
    const heif = promised === "heic" && header.format === "avif";
    const notes: string[] = [];
    if (promised !== header.format && !heif)
      notes.push(inEnglish(say`named ${path.posix.extname(file)}, is ${displayName(header.format)}`));
    if (!endsWell(tail, header.format) && !(await endsInside(absolute, header.format, stats.size)))
      notes.push(noEndMarker);
    entry.note = notes.join("; ") || null;
    entry.error = tooManyPixels(header.width, header.height, maxPixels) ?? null;
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (isUnreadable(error)) entry.error = error.message;
    else entry.error = unreadableReason(error, absolute);
  }
  return entry;
}

/** Reading so little takes less time than the ways through Node's thread pool. */
const smallBytes = 256 * 1024;
/** So many bytes are hashed at once, beside those of other files: a stream's pieces all are by one thread. */
const wholeBytes = 64 * 1024 * 1024;

async function readOnce(file: string, size: number, signal?: AbortSignal) {
  const partsOf = (hash: string, bytes: Buffer) => ({
    hash,
    head: bytes.subarray(0, headBytes),
    tail: bytes.subarray(-tailBytes),
  });
  const small = size <= smallBytes ? readSmallFile(file, size) : undefined;
  if (small) return partsOf(hashBytes(small), small);
  if (size > wholeBytes) return hashFile(file, { head: headBytes, tail: tailBytes, signal });
  throwIfCancelled(signal);
  return fileBytes.run(size, async () => {
    const bytes = await readFile(file);
    return partsOf(await hashAside(bytes), bytes);
  });
}

/** Larger files are not read a second time for an end that something else may follow. */
const searchedBytes = 2 ** 28;

async function endsInside(file: string, format: ImageFormat, size: number): Promise<boolean> {
  if (size > searchedBytes) return false;
  return fileBytes.run(size, async () => hasEnd(await readFile(file), format));
}

/** A file that cannot be read is a fact about that file; what is wrong with the machine ends the scan. */
function unreadableReason(error: unknown, file: string): string {
  if (error instanceof LeafError) throw error;
  const reason = readFailure(error);
  if (reason === undefined) throw explainFileSystemError(error, "read", file);
  return reason;
}
