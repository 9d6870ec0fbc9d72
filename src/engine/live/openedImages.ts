import { readFile } from "node:fs/promises";
import path from "node:path";
import { LeafError } from "../errors.ts";
import { hashBytes, withFileErrors } from "../files.ts";
import { decodeImage, type RgbImage } from "../images/decode.ts";

/** An image file in use. Whoever else uses it at the same time shares the reading and the decoding. */
export interface OpenedImage {
  hash: string;
  path: string;
  /** The file's bytes. Throws LeafError `failed` or, where they are not those of `hash`, `input`. */
  bytes(): Promise<Buffer>;
  /** Throws LeafError `input` where it cannot be decoded. */
  pixels(): Promise<RgbImage>;
}

export interface ImageFile {
  hash: string;
  path: string;
}

export type WithImage = <T>(file: ImageFile, work: (image: OpenedImage) => Promise<T>) => Promise<T>;

/** Makes the function that opens images for the time of a piece of work; nothing is kept after the last user of an image. */
export function openedImages(): WithImage {
  const inUse = new Map<string, { image: OpenedImage; users: number }>();
  return async (file, work) => {
    const key = `${file.hash} ${file.path}`;
    const entry = inUse.get(key) ?? { image: openImage(file), users: 0 };
    inUse.set(key, entry);
    entry.users++;
    try {
      return await work(entry.image);
    } finally {
      if (--entry.users === 0) inUse.delete(key);
    }
  };
}

function openImage(file: ImageFile): OpenedImage {
  const name = path.basename(file.path);
  const bytes = once(async () => {
    const read = await withFileErrors("read", file.path, () => readFile(file.path));
    if (hashBytes(read) === file.hash) return read;
    throw new LeafError("input", `${name}: the file has changed since the folder was read.`, {
      file: file.path,
      remedy: "Try again in a moment.",
    });
  });
  const pixels = once(async () => decodeImage(await bytes(), { name }));
  return { ...file, bytes, pixels };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
