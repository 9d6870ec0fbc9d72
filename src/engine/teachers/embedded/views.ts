import type { RgbImage } from "../../images/decode.ts";
import { resize } from "../../images/resize.ts";

/** Beyond this short side a picture is looked at close up too: the view of the whole hides its noise and its slight blur. */
const largeSide = 1000;
const closeUps: [y: number, x: number][] = [
  [0.5, 0.5],
  [0.25, 0.25],
  [0.25, 0.75],
  [0.75, 0.25],
  [0.75, 0.75],
];

/** Pictures of one size, uint8 [n, height, width, 3]. */
export interface Views {
  pixels: Uint8Array;
  n: number;
  width: number;
  height: number;
}

/** The whole picture, at most `mostPixels` pixels of it and at least `crop` on each side: a smaller one goes on as in a mirror. */
export async function wholeView(image: RgbImage, mostPixels: number, crop: number): Promise<Views> {
  const factor = Math.sqrt(mostPixels / (image.width * image.height));
  const side = (length: number) => Math.max(1, Math.round(length * factor));
  const seen = factor < 1 ? await resize(image, side(image.width), side(image.height)) : image;
  const [width, height] = [Math.max(crop, seen.width), Math.max(crop, seen.height)];
  return { pixels: window(seen, 0, 0, width, height), n: 1, width, height };
}

/** Square windows of a large picture as it is, at native resolution; null for any other. */
export function closeViews(image: RgbImage, crop: number): Views | null {
  if (Math.min(image.width, image.height) <= largeSide) return null;
  const size = crop * crop * 3;
  const pixels = new Uint8Array(closeUps.length * size);
  for (const [i, [y, x]] of closeUps.entries()) {
    const [top, left] = [Math.floor((image.height - crop) * y), Math.floor((image.width - crop) * x)];
    pixels.set(window(image, top, left, crop, crop), i * size);
  }
  return { pixels, n: closeUps.length, width: crop, height: crop };
}

/** A part of a picture; outside the picture it goes on as in a mirror. */
function window(
  { width, height, data }: RgbImage,
  top: number,
  left: number,
  w: number,
  h: number,
): Uint8Array {
  const inside = left + w <= width && top + h <= height;
  if (inside && w === width && h === height) return data;
  const out = new Uint8Array(w * h * 3);
  for (let y = 0, to = 0; y < h; y++) {
    const row = reflected(top + y, height) * width;
    if (inside) {
      out.set(data.subarray((row + left) * 3, (row + left + w) * 3), y * w * 3);
      continue;
    }
    for (let x = 0; x < w; x++) {
      const from = (row + reflected(left + x, width)) * 3;
      for (let c = 0; c < 3; c++) out[to++] = data[from + c]!;
    }
  }
  return out;
}

/** Index of place `i` in a row of `length` that is followed by its mirror image, over and over. */
export function reflected(i: number, length: number): number {
  const place = i % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
}
