import { explainFileSystemError, LeafError, messageOf } from "../../errors.ts";
import type { TeacherImage } from "../teacher.ts";
import { toDataUrl } from "./picture.ts";

/** Characters of data URLs that are kept: an image comes again in its pairs. */
const keptCharacters = 64 * 2 ** 20;

/** Data URLs of images, made when they are wanted and remembered for a while; those wanted at the same time are made once. */
export interface Pictures {
  /** Throws LeafError `input` for an image that cannot be read. */
  urlOf(image: TeacherImage): Promise<string>;
}

export function createPictures(maxSide: number | null): Pictures {
  const kept = new Map<string, string>();
  const underWay = new Map<string, Promise<string>>();
  let size = 0;

  async function make(image: TeacherImage): Promise<string> {
    const bytes = await image.read().catch((error: unknown) => {
      const explained = explainFileSystemError(error, "read", image.name);
      throw new LeafError("input", `${image.name}: ${messageOf(explained)}`, { cause: error });
    });
    const url = await toDataUrl(bytes, maxSide, image.name);
    kept.set(image.hash, url);
    size += url.length;
    for (const [hash, old] of kept) {
      if (size <= keptCharacters) break;
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
