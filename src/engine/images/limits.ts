import os from "node:os";
import { plain } from "../../words/figure.ts";
import { byteBudget } from "../base/byteBudget.ts";

/** `maxMegapixels` where the config does not say: a 200-megapixel photo of a phone passes. */
export const defaultMaxMegapixels = 268;
/** The most that a config may allow: 3 GB of pixels. */
export const mostMegapixels = 1000;
export const defaultMaxPixels = defaultMaxMegapixels * 1e6;

/** The config's limit in pixels; runs of older versions have none in their config. */
export function maxPixelsOf(config?: { maxMegapixels?: number }): number {
  return Math.round((config?.maxMegapixels ?? defaultMaxMegapixels) * 1e6);
}

/** How every problem of the size begins; no other does. */
export const sizeProblem = "too many pixels: ";

/** Why an image of this size is refused; undefined where it is not. */
export function tooManyPixels(width: number, height: number, maxPixels: number): string | undefined {
  if (width * height <= maxPixels) return undefined;
  return `${sizeProblem}${width} x ${height}, more than ${plain(maxPixels / 1e6, 6)} megapixels (\`maxMegapixels\`)`;
}

const MiB = 2 ** 20;

/** A share of the memory that is free when the process starts; also a container's limit counts as memory. */
function share(part: number, least: number, most: number): number {
  const free = process.availableMemory?.() || os.freemem();
  return Math.min(most, Math.max(least, free * part));
}

/**
 * What decoded pixels take, in all the process: scores, tensors, labels, checks and pictures wait here rather than fill the
 * memory. Take `fileBytes` before this one, never after it.
 */
export const pixelBytes = byteBudget(share(1 / 4, 64 * MiB, 512 * MiB));

/** What image files take that were read and wait to be decoded. */
export const fileBytes = byteBudget(share(1 / 8, 32 * MiB, 256 * MiB));
