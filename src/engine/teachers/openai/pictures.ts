import { LRUCache } from "lru-cache";
import { bytesOfHash } from "../../images/read.ts";
import type { TeacherImage } from "../teacher.ts";
import { sideBySide } from "./canvas.ts";
import { toDataUrl } from "./picture.ts";

/** Bytes of data URLs that are kept: an image comes again in its pairs. */
const keptBytes = 64 * 2 ** 20;

/** Data URLs of images, made when they are wanted and remembered for a while; those wanted at the same time are made once. */
export interface Pictures {
  /** Throws LeafError `input` for an image that cannot be read. */
  urlOf(image: TeacherImage): Promise<Buffer>;
  /** Both in one, each under its letter. Made anew each time. */
  urlOfBoth(
    images: readonly [TeacherImage, TeacherImage],
    letters: readonly [string, string],
  ): Promise<Buffer>;
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
  const urlOf = (image: TeacherImage) => kept.forceFetch(image.hash, { context: image });
  return {
    urlOf,
    async urlOfBoth([left, right], letters) {
      return sideBySide([await urlOf(left), await urlOf(right)], letters);
    },
  };
}
