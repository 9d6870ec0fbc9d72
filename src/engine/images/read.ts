import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { say } from "../../words/text.ts";
import { errnoCode, explainFileSystemError, LeafError, messageOf } from "../base/errors.ts";
import { hashBytes, withFileErrors } from "../base/files.ts";
import { fileBytes } from "./limits.ts";

/** An image file, and the hash that what is found out about it is filed under; null where nothing is. */
export interface ImageSource {
  path: string;
  hash: string | null;
}

const maxFileBytes = 2 ** 31 - 1;

/**
 * What `work` makes of a file's bytes, which are read once. With a hash they are the bytes of that hash, or it throws LeafError
 * `input`: a file may be replaced at any time, and a second look at its path may find another image. Whoever files something
 * under a hash reads with this, and never by the path again.
 */
export async function withImageBytes<T>(
  source: ImageSource,
  work: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  const { path: file, hash } = source;
  const name = path.basename(file);
  const stats = await withFileErrors("read", file, () => stat(file));
  if (stats.isFile() && stats.size > maxFileBytes)
    throw new LeafError("input", say`${name}: the file is over 2 GB.`, { file });
  // A pipe or a device might never end.
  if (!stats.isFile() && !stats.isDirectory())
    throw new LeafError("input", say`${name}: it is not a file.`, { file });
  return fileBytes.run(stats.size, async () => {
    const bytes = await withFileErrors("read", file, () => readFile(file));
    if (hash !== null && hashBytes(bytes) !== hash) throw changed(name, file);
    return work(bytes);
  });
}

/** The same for bytes that somebody else's function reads. Throws LeafError `input`. */
export async function bytesOfHash(image: {
  hash: string;
  name: string;
  read(): Promise<Buffer>;
}): Promise<Buffer> {
  const { hash, name } = image;
  const bytes = await image.read().catch((error: unknown) => {
    if (errnoCode(error) === undefined) throw error;
    const explained = messageOf(explainFileSystemError(error, "read", name));
    throw new LeafError("input", say`${name}: ${explained}`, { cause: error });
  });
  if (hashBytes(bytes) !== hash) throw changed(name);
  return bytes;
}

function changed(name: string, file?: string): LeafError {
  return new LeafError("input", say`${name}: the file has changed since it was indexed.`, {
    file,
    remedy: say`Run the same command again.`,
  });
}
