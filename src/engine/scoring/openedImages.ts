import path from "node:path";
import { type RgbImage, withPixels } from "../images/decode.ts";
import { preparedBytes } from "../images/prepared.ts";
import { withImageBytes } from "../images/read.ts";
import { prepare, type StudentInput } from "../images/views.ts";

/** An image file in use. Whoever else uses it at the same time shares the reading and the decoding. */
export interface OpenedImage {
  hash: string;
  path: string;
  maxPixels?: number;
  /** The file's bytes. Throws LeafError `failed` or, where they are not those of `hash`, `input`. */
  bytes(): Promise<Buffer>;
  /** What `work` makes of the pixels: see withImage. Throws LeafError `input` where it cannot be decoded. */
  withPixels<T>(work: (image: RgbImage) => Promise<T>): Promise<T>;
  /** The picture as a student of this input sees it: see preparedBytes. */
  prepared(input: StudentInput): Promise<RgbImage>;
}

export interface ImageFile {
  hash: string;
  path: string;
  /** The project's limit. */
  maxPixels?: number;
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
  const bytes = once(() => withImageBytes(file, async (read) => read));
  /** Those at work with the pixels at this moment share them. */
  let shared: { pixels: Promise<RgbImage>; users: number; done(): void } | undefined;

  function decode() {
    const decoded = Promise.withResolvers<RgbImage>();
    const used = Promise.withResolvers<void>();
    bytes()
      .then((read) =>
        withPixels(read, { name, maxPixels: file.maxPixels }, (image) => {
          decoded.resolve(image);
          return used.promise;
        }),
      )
      .catch(decoded.reject);
    return { pixels: decoded.promise, users: 0, done: used.resolve };
  }

  async function usePixels<T>(work: (image: RgbImage) => Promise<T>): Promise<T> {
    shared ??= decode();
    const mine = shared;
    mine.users++;
    try {
      return await work(await mine.pixels);
    } finally {
      if (--mine.users === 0) {
        mine.done();
        shared = undefined;
      }
    }
  }

  return {
    ...file,
    bytes,
    withPixels: usePixels,
    async prepared(input) {
      if (shared && input.decode !== "scaled") return usePixels((image) => prepare(image, input));
      return preparedBytes(await bytes(), input, { name, maxPixels: file.maxPixels });
    },
  };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
