import { LRUCache } from "lru-cache";
import { bytesOfHash } from "../../images/read.ts";
import type { TeacherImage } from "../teacher.ts";
import { toDataUrl } from "./picture.ts";

/** Bytes of data URLs that are kept: an image comes again in its pairs. */
const keptBytes = 64 * 2 ** 20;

/** Data URLs of images, made when they are wanted and remembered for a while; those wanted at the same time are made once. */
export interface Pictures {
  /** Throws LeafError `input` for an image that cannot be read. */
  urlOf(image: TeacherImage): Promise<Buffer>;
}

export function createPictures(maxSide: number | null, maxPixels?: number): Pictures {
  const kept = new LRUCache<string, Buffer, TeacherImage>({
    maxSize: keptBytes,
    sizeCalculation: (url) => url.length,
    fetchMethod: async (_hash, _stale, { context: image }) =>
      toDataUrl(await bytesOfHash(image), maxSide, image.name, maxPixels),
    // Forgotten while it is made: whoever waits for it gets it.
    ignoreFetchAbort: true,
  });
  return { urlOf: (image) => kept.forceFetch(image.hash, { context: image }) };
}
