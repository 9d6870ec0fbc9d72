import type { RgbImage } from "../../images/decode.ts";
import { resize } from "../../images/resize.ts";
import type { TeacherCard } from "./card.ts";

/**
 * The whole picture as the network sees it: reduced to at most `mostPixels` pixels, and at least `leastSide` on each side, where a
 * smaller one goes on as in a mirror. A strip is reduced until its mirrored view has no more than `mostPixels` either.
 */
export async function wholeView(image: RgbImage, input: TeacherCard["input"]): Promise<RgbImage> {
  const { mostPixels, leastSide } = input;
  const { width, height } = image;
  const factor = Math.min(
    1,
    Math.sqrt(mostPixels / (width * height)),
    mostPixels / leastSide / Math.max(width, height),
  );
  const side = (length: number) => Math.max(1, Math.floor(length * factor));
  const seen = factor < 1 ? await resize(image, side(width), side(height)) : image;
  return mirrored(seen, Math.max(leastSide, seen.width), Math.max(leastSide, seen.height));
}

function mirrored(image: RgbImage, width: number, height: number): RgbImage {
  if (image.width === width && image.height === height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const row = reflected(y, image.height) * image.width;
    for (let x = 0; x < width; x++) {
      const from = (row + reflected(x, image.width)) * 3;
      for (let c = 0; c < 3; c++) data[to++] = image.data[from + c]!;
    }
  }
  return { width, height, data };
}

/** Index of place `i` in a row of `length` that is followed by its mirror image, over and over. */
export function reflected(i: number, length: number): number {
  const place = i % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
}
