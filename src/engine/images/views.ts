import type { ScoredViews } from "../../protocol/student.ts";
import { type DecodeOptions, decodeImage, type RgbImage } from "./decode.ts";
import { resize } from "./resize.ts";

/** How a student sees a picture. */
export interface StudentInput {
  /**
   * Pixels of the short side after resizing; null keeps the native resolution. A whole picture is only ever made smaller, and
   * `null` stands for `mostNativeWhole` there.
   */
  resize: number | null;
  /** Side in pixels of the square window that it learns from, and of a view. */
  crop: number;
  /** `whole`: the picture in one pass; 1: its centre; 5: the centre and the four corners. A score is the mean over them. */
  views: ScoredViews;
  /** `scaled`: a JPEG is decoded at a half, a quarter or an eighth where that is twice what is needed: see prepared.ts. */
  decode?: "scaled";
}

/** The short side of a whole picture at its native resolution: 2 megapixels at most, which any machine can look at. */
export const mostNativeWhole = 1024;
/** The largest `resize` of a whole picture: 8 megapixels at most; above, a network's maps would fill the memory. */
export const mostWhole = 2048;

/** Views of one size: uint8 [n, height, width, 3]. */
export interface Views {
  pixels: Uint8Array;
  n: number;
  height: number;
  width: number;
}

interface Geometry {
  /** Size after resizing, before the central window. */
  scaled: { width: number; height: number };
  /** Size of the cached picture. */
  cached: { width: number; height: number };
}

/**
 * Sizes in pixels. The cached picture is never smaller than crop x crop; its sides are at most 2 * (resize ?? 2 * crop), of a whole
 * picture 2 * (resize ?? mostNativeWhole). A whole picture is not enlarged, unless it is smaller than the crop.
 */
export function geometry(width: number, height: number, input: StudentInput): Geometry {
  const short = Math.min(width, height);
  const whole = input.views === "whole";
  const most = input.resize ?? (whole ? mostNativeWhole : short);
  const target = Math.max(whole ? Math.min(short, most) : most, input.crop);
  const limit = whole
    ? 2 * Math.max(most, input.crop)
    : Math.max(2 * (input.resize ?? 2 * input.crop), input.crop);
  const side = (length: number) => Math.max(target, Math.round((length * target) / short));
  const scaled = target === short ? { width, height } : { width: side(width), height: side(height) };
  return {
    scaled,
    cached: { width: Math.min(scaled.width, limit), height: Math.min(scaled.height, limit) },
  };
}

/** The cached picture of an image: resized (Lanczos 3, on sRGB values) and cut to its central window. */
export async function prepare(
  source: RgbImage | string | Buffer,
  input: StudentInput,
  options?: DecodeOptions,
): Promise<RgbImage> {
  const decoded =
    typeof source === "string" || Buffer.isBuffer(source) ? await decodeImage(source, options) : source;
  const image = trimPanorama(decoded, input);
  const { scaled, cached } = geometry(image.width, image.height, input);
  if (scaled.width === image.width && scaled.height === image.height) return centralWindow(image, cached);
  return centralWindow(await resize(image, scaled.width, scaled.height), cached);
}

/** A cached picture as it is scored: whole, or the centre, then top left, top right, bottom left, bottom right. */
export function views(picture: RgbImage, input: StudentInput): Views {
  const corners = cornersOf(picture, input);
  const { width, height } = viewSize(picture, input);
  const n = corners.length;
  if (input.views === "whole") return { pixels: picture.data, n, height, width };
  const pixels = new Uint8Array(n * height * width * 3);
  for (const [i, [y, x]] of corners.entries())
    copyWindow(picture, y, x, height, width, pixels, i * height * width * 3);
  return { pixels, n, height, width };
}

type Size = { width: number; height: number };

function viewSize(cached: Size, { views, crop }: StudentInput): Size {
  return views === "whole" ? { width: cached.width, height: cached.height } : { width: crop, height: crop };
}

/** The most pixels that all views of a picture have. */
export function mostViewPixels({ resize, crop, views }: StudentInput): number {
  if (views !== "whole") return views * crop * crop;
  const most = Math.max(resize ?? mostNativeWhole, crop);
  return 2 * most * most;
}

/** Top left corner [y, x] of each window in the cached picture. */
function cornersOf(cached: Size, input: StudentInput): [number, number][] {
  if (input.views === "whole") return [[0, 0]];
  const right = cached.width - input.crop;
  const bottom = cached.height - input.crop;
  if (right < 0 || bottom < 0) throw new RangeError("The cached picture is smaller than the crop.");
  const corners: [number, number][] = [[Math.floor(bottom / 2), Math.floor(right / 2)]];
  if (input.views === 5) corners.push([0, 0], [0, right], [bottom, 0], [bottom, right]);
  return corners;
}

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where each window of `views(await prepare(image))` lies in an upright image of this size, in its pixels (fractions too). */
export function viewPlaces(width: number, height: number, input: StudentInput): Rectangle[] {
  const kept = trimmedSize(width, height, input);
  const { scaled, cached } = geometry(kept.width, kept.height, input);
  const [scaleX, scaleY] = [kept.width / scaled.width, kept.height / scaled.height];
  const view = viewSize(cached, input);
  const middle = (whole: number, part: number) => Math.floor((whole - part) / 2);
  const x0 = middle(scaled.width, cached.width);
  const y0 = middle(scaled.height, cached.height);
  return cornersOf(cached, input).map(([y, x]) => ({
    x: middle(width, kept.width) + (x0 + x) * scaleX,
    y: middle(height, kept.height) + (y0 + y) * scaleY,
    width: view.width * scaleX,
    height: view.height * scaleY,
  }));
}

/** A very long strip would be scaled to a gigantic one only to be cut again: cut most of it first. */
function trimPanorama(image: RgbImage, input: StudentInput): RgbImage {
  return centralWindow(image, trimmedSize(image.width, image.height, input));
}

export function trimmedSize(width: number, height: number, input: StudentInput): Size {
  const { scaled, cached } = geometry(width, height, input);
  const keep = (length: number, to: number, shown: number) =>
    to > 2 * shown ? Math.min(length, Math.ceil((length * shown * 1.5) / to)) : length;
  return {
    width: keep(width, scaled.width, cached.width),
    height: keep(height, scaled.height, cached.height),
  };
}

export function centralWindow(image: RgbImage, size: { width: number; height: number }): RgbImage {
  const { width, height } = size;
  if (width === image.width && height === image.height) return image;
  const data = new Uint8Array(width * height * 3);
  const y = Math.floor((image.height - height) / 2);
  const x = Math.floor((image.width - width) / 2);
  copyWindow(image, y, x, height, width, data, 0);
  return { width, height, data };
}

function copyWindow(
  image: RgbImage,
  y: number,
  x: number,
  height: number,
  width: number,
  out: Uint8Array,
  at: number,
): void {
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * 3;
    out.set(image.data.subarray(from, from + width * 3), at + row * width * 3);
  }
}
