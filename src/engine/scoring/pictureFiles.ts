import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { checkedId } from "../base/ids.ts";
import type { ImageFormat } from "../images/format.ts";

/** `small`: WebP, longest side 320 px. `full`: lossless WebP, longest side at most 4096 px, for what a browser cannot show. */
export type PictureSize = "small" | "full";

export const longestSide: Readonly<Record<PictureSize, number>> = { small: 320, full: 4096 };

/** Where the picture of an image is kept; `cache` is the project's cache folder. Throws LeafError `input` for what is no hash. */
export function pictureFile(cache: string, hash: string, size: PictureSize): string {
  // It comes from a client.
  if (typeof size !== "string" || !Object.hasOwn(longestSide, size))
    throw new LeafError("input", say`A picture is small or full.`);
  return path.join(cache, "pictures", checkedId("hash", hash).slice(0, 2), `${hash}-${size}.webp`);
}

/** Longest sides in pixels of a heat map's pictures. */
export const heatSides = { small: 320, overlay: 768 } as const;

/** An image's heat map by one scorer: two PNG pictures and, written last, its figures (a HeatMap as JSON). */
export interface HeatFiles {
  small: string;
  overlay: string;
  figures: string;
}

/** Where they are kept; `scorer` is the scorer's fingerprint. */
export function heatFiles(cache: string, hash: string, scorer: string): HeatFiles {
  const name = `${checkedId("hash", hash)}-heat-${path.basename(scorer)}`;
  const base = path.join(cache, "pictures", hash.slice(0, 2), name);
  return { small: `${base}-small.png`, overlay: `${base}-overlay.png`, figures: `${base}.json` };
}

/** Whether browsers show files of this format as they are; of the others they need a `full` picture. */
export function shownByBrowsers(format: string): boolean {
  const shown: readonly string[] = ["jpeg", "png", "webp", "avif", "gif", "bmp"] satisfies ImageFormat[];
  return shown.includes(format);
}
