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
  const kept = new Map<string, Buffer>();
  const underWay = new Map<string, Promise<Buffer>>();
  let size = 0;

  async function make(image: TeacherImage): Promise<Buffer> {
    const url = await toDataUrl(await bytesOfHash(image), maxSide, image.name, maxPixels);
    kept.set(image.hash, url);
    size += url.length;
    for (const [hash, old] of kept) {
      if (size <= keptBytes) break;
      kept.delete(hash);
      size -= old.length;
    }
    return url;
  }

  return {
    async urlOf(image) {
      const found = kept.get(image.hash);
      if (found !== undefined) {
        // The one wanted longest ago goes first.
        kept.delete(image.hash);
        kept.set(image.hash, found);
        return found;
      }
      let making = underWay.get(image.hash);
      if (!making) {
        making = make(image).finally(() => underWay.delete(image.hash));
        underWay.set(image.hash, making);
      }
      return making;
    },
  };
}
