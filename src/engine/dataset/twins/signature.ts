import { lookSide as side } from "../../images/look.ts";

/**
 * 64-bit perceptual hashes (the signs of the lowest 8 × 8 DCT coefficients around their median, as pHash by Zauner, 2010) of a picture
 * and of windows in it: what was cut to such a window has about the window's hash.
 */

/** A part of a picture, in pixels of its look. */
export interface Window {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Numbers that a hash has: two of 32 bits. */
export const words = 2;
const low = 8;

/** Windows of this share of both sides, at so many places of each; between them a hash is near enough to one. */
const cut = [
  { share: 0.9, places: 3 },
  { share: 0.8, places: 4 },
];
/** The same of one side, where a picture got another shape. */
const cutOneSide = { share: 0.75, places: 3 };

/** The whole first. */
export const windows: readonly Window[] = [
  { x: 0, y: 0, width: side, height: side },
  ...cut.flatMap(({ share, places }) =>
    starts(share, places).flatMap((x) =>
      starts(share, places).map((y) => ({ x, y, width: share * side, height: share * side })),
    ),
  ),
  ...starts(cutOneSide.share, cutOneSide.places).flatMap((at) => [
    { x: at, y: 0, width: cutOneSide.share * side, height: side },
    { x: 0, y: at, width: side, height: cutOneSide.share * side },
  ]),
];

function starts(share: number, places: number): number[] {
  return Array.from({ length: places }, (_, i) => ((1 - share) * side * i) / (places - 1));
}

/** Cosines of the lowest frequencies over a part of a side: low × side, each with the share of the pixel that lies in the part. */
function cosines(from: number, length: number): Float64Array {
  const basis = new Float64Array(low * side);
  for (let u = 0; u < low; u++)
    for (let pixel = 0; pixel < side; pixel++) {
      const [begin, end] = [Math.max(from, pixel), Math.min(from + length, pixel + 1)];
      if (end > begin)
        basis[u * side + pixel] =
          Math.cos((Math.PI * u * ((begin + end) / 2 - from)) / length) * (end - begin);
    }
  return basis;
}

/** Windows share their places: each line of cosines is worked out, and each picture's rows are, once. */
const once = new Map<string, Float64Array>();
const at = (from: number, length: number): Float64Array => {
  const key = `${from} ${length}`;
  const basis = once.get(key) ?? cosines(from, length);
  once.set(key, basis);
  return basis;
};
const bases = windows.map(({ x, y, width, height }) => ({ x: at(x, width), y: at(y, height) }));

/** A standard deviation of grey values below which a picture is too plain to be told from another. */
const plain = 4;

/** Hashes of all windows: uint32, `words` each; undefined for a picture that is too plain. */
export function signatureOf(look: Uint8Array): Uint32Array | undefined {
  if (deviation(look) < plain) return undefined;
  const out = new Uint32Array(windows.length * words);
  const rowsOf = new Map<Float64Array, Float64Array>();
  const values = new Float64Array(low * low);
  for (const [i, { x, y }] of bases.entries()) {
    const rows = rowsOf.get(y) ?? project(look, y);
    rowsOf.set(y, rows);
    setHash(rows, x, values, out, i * words);
  }
  return out;
}

/** The picture's columns by the lowest frequencies of a part of its height: low × side. */
function project(look: Uint8Array, y: Float64Array): Float64Array {
  const rows = new Float64Array(low * side);
  for (let v = 0; v < low; v++)
    for (let pixel = 0; pixel < side; pixel++) {
      let sum = 0;
      for (let line = 0; line < side; line++) sum += y[v * side + line]! * look[line * side + pixel]!;
      rows[v * side + pixel] = sum;
    }
  return rows;
}

function setHash(
  rows: Float64Array,
  x: Float64Array,
  values: Float64Array,
  out: Uint32Array,
  to: number,
): void {
  for (let v = 0; v < low; v++)
    for (let u = 0; u < low; u++) {
      let sum = 0;
      for (let pixel = 0; pixel < side; pixel++) sum += rows[v * side + pixel]! * x[u * side + pixel]!;
      values[v * low + u] = sum;
    }
  // The first is the mean brightness, which says nothing of what is seen.
  const median = values.slice(1).sort()[31]!;
  for (let i = 1; i < values.length; i++)
    if (values[i]! > median) out[to + (i >> 5)] = (out[to + (i >> 5)]! | (1 << (i & 31))) >>> 0;
}

function deviation(look: Uint8Array): number {
  let [sum, squares] = [0, 0];
  for (const value of look) {
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / look.length - (sum / look.length) ** 2));
}
