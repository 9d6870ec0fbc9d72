import type { Crop } from "./distort.ts";

/** A square plane of luminance, 0..255. */
export interface Plane {
  side: number;
  data: Float64Array;
}

/** Weights of the five scales, finest first (Wang, Simoncelli, Bovik 2003). */
const scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
const c1 = (0.01 * 255) ** 2;
const c2 = (0.03 * 255) ** 2;
const window = gaussianWindow(11, 1.5);
/** Below this side the coarsest scale is smaller than the window. */
const smallestSide = window.length * 2 ** (scaleWeights.length - 1);

/** Luma of ITU-R BT.601. */
export function luminance(crop: Crop): Plane {
  const data = new Float64Array(crop.side * crop.side);
  for (let i = 0; i < data.length; i++)
    data[i] = 0.299 * crop.data[3 * i]! + 0.587 * crop.data[3 * i + 1]! + 0.114 * crop.data[3 * i + 2]!;
  return { side: crop.side, data };
}

/**
 * Multi-scale structural similarity (Z. Wang, E. Simoncelli, A. Bovik, "Multiscale structural similarity for image quality
 * assessment", 2003): 1 for equal planes. Contrast and structure at five scales, luminance at the coarsest; negative means
 * count as 0. Sides of at least 176 pixels.
 */
export function msSsim(a: Plane, b: Plane): number {
  return msSsimTo(a)(b);
}

/** MS-SSIM with one plane, of which the part that no other plane changes is computed once. */
function msSsimTo(pristine: Plane): (other: Plane) => number {
  if (pristine.side < smallestSide)
    throw new RangeError(`MS-SSIM needs at least ${smallestSide} pixels a side.`);
  const scales = scaleWeights.map((_, scale) => {
    if (scale > 0) pristine = halve(pristine);
    return statistics(pristine);
  });
  const { side } = scales[0]!.plane;
  return (other) => {
    if (other.side !== side) throw new RangeError("MS-SSIM compares planes of one size.");
    let product = 1;
    for (const [scale, weight] of scaleWeights.entries()) {
      if (scale > 0) other = halve(other);
      const coarsest = scale === scaleWeights.length - 1;
      const { ssim, structure } = compare(scales[scale]!, statistics(other));
      product *= Math.max(0, coarsest ? ssim : structure) ** weight;
    }
    return product;
  };
}

/** Decibels of dissimilarity at which the stand-in for MOS reaches its ends: MS-SSIM .37 is 1, .9975 is 5. */
const decibels = [2, 26] as const;

/** The stand-in for MOS, 1..5, of distorted versions of a crop: a rising function of their MS-SSIM with the pristine one. */
export function standInForMosOf(pristine: Plane): (distorted: Plane) => number {
  const similarity = msSsimTo(pristine);
  const [lo, hi] = decibels;
  return (distorted) => {
    const db = -10 * Math.log10(Math.max(1e-9, 1 - similarity(distorted)));
    return 1 + 4 * Math.min(1, Math.max(0, (db - lo) / (hi - lo)));
  };
}

/** Of one version. */
export function standInForMos(pristine: Plane, distorted: Plane): number {
  return standInForMosOf(pristine)(distorted);
}

/** A plane, its local means and its local means of squares. */
interface Statistics {
  plane: Plane;
  mean: Float64Array;
  square: Float64Array;
}

function statistics(plane: Plane): Statistics {
  return { plane, mean: smooth(plane), square: smooth(multiply(plane, plane)) };
}

/** Means over the valid region of SSIM and of its contrast-structure part. */
function compare(a: Statistics, b: Statistics): { ssim: number; structure: number } {
  const cross = smooth(multiply(a.plane, b.plane));
  let ssim = 0;
  let structure = 0;
  for (let i = 0; i < cross.length; i++) {
    const ma = a.mean[i]!;
    const mb = b.mean[i]!;
    const cs = (2 * (cross[i]! - ma * mb) + c2) / (a.square[i]! - ma * ma + (b.square[i]! - mb * mb) + c2);
    structure += cs;
    ssim += (cs * (2 * ma * mb + c1)) / (ma * ma + mb * mb + c1);
  }
  return { ssim: ssim / cross.length, structure: structure / cross.length };
}

/** Gaussian mean, valid region only: side - 10 values a side. */
function smooth({ side, data }: Plane): Float64Array {
  const out = side - window.length + 1;
  const rows = new Float64Array(side * out);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < out; x++) {
      let sum = 0;
      for (let k = 0; k < window.length; k++) sum += window[k]! * data[y * side + x + k]!;
      rows[y * out + x] = sum;
    }
  const result = new Float64Array(out * out);
  for (let y = 0; y < out; y++)
    for (let x = 0; x < out; x++) {
      let sum = 0;
      for (let k = 0; k < window.length; k++) sum += window[k]! * rows[(y + k) * out + x]!;
      result[y * out + x] = sum;
    }
  return result;
}

/** Means of 2 x 2 blocks; an odd last row and column are left out. */
function halve({ side, data }: Plane): Plane {
  const half = side >> 1;
  const result = new Float64Array(half * half);
  for (let y = 0; y < half; y++)
    for (let x = 0; x < half; x++) {
      const i = 2 * y * side + 2 * x;
      result[y * half + x] = (data[i]! + data[i + 1]! + data[i + side]! + data[i + side + 1]!) / 4;
    }
  return { side: half, data: result };
}

function multiply(a: Plane, b: Plane): Plane {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! * b.data[i]!;
  return { side: a.side, data };
}

function gaussianWindow(length: number, sigma: number): number[] {
  const values = Array.from({ length }, (_, i) =>
    Math.exp(-((i - (length - 1) / 2) ** 2) / (2 * sigma * sigma)),
  );
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
