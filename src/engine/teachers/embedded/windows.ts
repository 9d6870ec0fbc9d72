import type { RgbImage } from "../../images/decode.ts";
import { resize } from "../../images/resize.ts";

/** At most this many windows of the picture as it is, and as many of its smaller view. */
const grid = 3;
/** Beyond this short side a picture is judged from a smaller view too: at full size a window shows next to nothing of it. */
const largeSide = 1000;
const smallSide = 640;

/**
 * Square windows of a picture, uint8 [n, crop, crop, 3]: up to 3 x 3, evenly spread, at native resolution, since scaling would
 * hide noise and blocks. Large pictures are scaled to a short side of 640 first and seen at native resolution in five windows
 * besides; small ones are continued by reflection.
 */
export async function windowsOf(image: RgbImage, crop: number): Promise<{ pixels: Uint8Array; n: number }> {
  const short = Math.min(image.width, image.height);
  const parts: Uint8Array[] = [];
  if (short > largeSide) {
    cut(await shrunk(image, smallSide / short), crop, parts);
    const [right, bottom] = [image.width - crop, image.height - crop];
    for (const [y, x] of [
      [0.5, 0.5],
      [0.25, 0.25],
      [0.25, 0.75],
      [0.75, 0.25],
      [0.75, 0.75],
    ] as const)
      parts.push(window(image, Math.floor(bottom * y), Math.floor(right * x), crop));
  } else {
    cut(image, crop, parts);
  }
  const size = crop * crop * 3;
  const pixels = new Uint8Array(parts.length * size);
  for (const [i, part] of parts.entries()) pixels.set(part, i * size);
  return { pixels, n: parts.length };
}

function cut(image: RgbImage, crop: number, parts: Uint8Array[]): void {
  const rows = positions(image.height, crop);
  const columns = positions(image.width, crop);
  for (const y of rows) for (const x of columns) parts.push(window(image, y, x, crop));
}

/** Evenly spread starts of windows along one side; one window where a second would mostly repeat it. */
export function positions(length: number, crop: number): number[] {
  const room = length - crop;
  if (room <= 0) return [0];
  const n = Math.min(grid, Math.ceil(length / crop));
  if (room < crop / 4) return [Math.floor(room / 2)];
  return Array.from({ length: n }, (_, i) => Math.floor((room * i) / (n - 1)));
}

/** A window; outside the picture it goes on as in a mirror. */
function window(image: RgbImage, top: number, left: number, crop: number): Uint8Array {
  const out = new Uint8Array(crop * crop * 3);
  const { width, height, data } = image;
  if (left + crop <= width && top + crop <= height) {
    for (let y = 0; y < crop; y++) {
      const from = ((top + y) * width + left) * 3;
      out.set(data.subarray(from, from + crop * 3), y * crop * 3);
    }
    return out;
  }
  for (let y = 0, to = 0; y < crop; y++) {
    const row = reflected(top + y, height) * width;
    for (let x = 0; x < crop; x++) {
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

function shrunk(image: RgbImage, factor: number): Promise<RgbImage> {
  const width = Math.max(1, Math.round(image.width * factor));
  const height = Math.max(1, Math.round(image.height * factor));
  return resize(image, width, height);
}
