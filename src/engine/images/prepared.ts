import { throwIfCancelled } from "../base/errors.ts";
import { type DecodeOptions, decodedSize, type RgbImage, withPixels, withSourceBytes } from "./decode.ts";
import { hasEnd } from "./ending.ts";
import { type ImageFormat, sniffFormat } from "./format.ts";
import { quickSize } from "./header.ts";
import { jpegFrame, jpegOrientation } from "./jpeg.ts";
import { defaultMaxPixels, pixelBytes } from "./limits.ts";
import type { ImageSource } from "./read.ts";
import { sharp } from "./sharp.ts";
import { centralWindow, geometry, prepare, type StudentInput, trimmedSize } from "./views.ts";

export interface PrepareOptions extends DecodeOptions {
  signal?: AbortSignal;
}

/** The picture of a file as the tensor cache has it. Waits for room in memory; throws LeafErrors as `withImage`. */
export function preparedImage(
  source: ImageSource,
  input: StudentInput,
  options: PrepareOptions = {},
): Promise<RgbImage> {
  return withSourceBytes(source, options, (bytes, name) => preparedBytes(bytes, input, { ...options, name }));
}

/**
 * The same of bytes. Bit for bit what `prepare` makes of the decoded picture, unless the input says `decode: scaled`. But most JPEGs
 * and PNGs are scaled while they are decoded, line by line, which takes half the time and a small part of the memory.
 */
export async function preparedBytes(
  bytes: Buffer,
  input: StudentInput,
  options: PrepareOptions = {},
): Promise<RgbImage> {
  // What is wrong with a file, if anything, the thorough way tells.
  const streamed = await preparedInOnePass(bytes, input, options).catch(() =>
    throwIfCancelled(options.signal),
  );
  if (streamed) return streamed;
  return withPixels(bytes, options, async (image) => {
    throwIfCancelled(options.signal);
    const { note } = image;
    return { ...(await prepare(image, input)), ...(note && { note }) };
  });
}

/** libvips works on some hundred lines of the picture at a time. */
const lines = 512;

/** undefined for files whose samples, colours or end are unusual; throws what sharp does. */
export async function preparedInOnePass(
  bytes: Buffer,
  input: StudentInput,
  { maxPixels = defaultMaxPixels, signal }: PrepareOptions,
): Promise<RgbImage | undefined> {
  const format = sniffFormat(bytes);
  const size = quickSize(bytes);
  if (!format || !size || !isPlain(bytes, format) || !hasEnd(bytes, format)) return undefined;
  if (size.width * size.height > maxPixels) return undefined;
  const kept = trimmedSize(size.width, size.height, input);
  const { scaled, cached } = geometry(kept.width, kept.height, input);
  const isWhole = kept.width === size.width && kept.height === size.height;
  if (input.decode === "scaled" && format === "jpeg" && isWhole) {
    const part = scaleOfJpeg(size, scaled);
    if (part > 1) return scaledJpeg(bytes, part, size, { scaled, cached }, { maxPixels, signal });
  }
  const whole = 3 * size.width * size.height;
  const orientation = format === "jpeg" ? (jpegOrientation(bytes) ?? 1) : 1;
  const decoder = (await decodedSize(bytes, maxPixels)) - whole;
  const band = orientation > 1 ? whole : Math.min(whole, 3 * size.width * lines);
  return pixelBytes.run(decoder + band + 3 * scaled.width * scaled.height, async () => {
    throwIfCancelled(signal);
    const failOn = format === "jpeg" ? "warning" : "error";
    let image = sharp(bytes, { failOn, limitInputPixels: maxPixels, autoOrient: true })
      // Also where that is all of it: sharp then decodes every pixel, and not a half or a quarter of them.
      .extract(middle(size, kept))
      .flatten({ background: "#ffffff" });
    if (scaled.width !== kept.width || scaled.height !== kept.height)
      image = image.resize({ ...scaled, fit: "fill", kernel: "lanczos3" });
    if (cached.width !== scaled.width || cached.height !== scaled.height)
      image = image.extract(middle(scaled, cached));
    const data = await image.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer();
    return data.length === 3 * cached.width * cached.height ? { ...cached, data } : undefined;
  });
}

/** The largest of 8, 4, 2 and 1 that leaves twice the size that is needed, so that the kernel has the last word. */
export function scaleOfJpeg(size: Size, needed: Size): number {
  const shrink = Math.min(size.width / needed.width, size.height / needed.height);
  return [8, 4, 2].find((part) => shrink >= 2 * part) ?? 1;
}

/**
 * libjpeg leaves out the high frequencies that no pixel of the small picture needs, and most of the work with them. Scaled to its size as
 * it lies in the file, then turned. leaf_iqa/picture.py does the same with Pillow, to the last bit.
 */
async function scaledJpeg(
  bytes: Buffer,
  part: number,
  size: Size,
  { scaled, cached }: ReturnType<typeof geometry>,
  { maxPixels, signal }: { maxPixels: number; signal?: AbortSignal },
): Promise<RgbImage | undefined> {
  const orientation = jpegOrientation(bytes) ?? 1;
  const turned = orientation >= 5;
  const [width, height] = turned ? [scaled.height, scaled.width] : [scaled.width, scaled.height];
  const decoder = (await decodedSize(bytes, maxPixels)) - 3 * size.width * size.height;
  const band = (3 * Math.max(size.width, size.height) * lines) / part;
  return pixelBytes.run(decoder + band + 6 * width * height, async () => {
    throwIfCancelled(signal);
    const data = await sharp(bytes, { failOn: "warning", limitInputPixels: maxPixels })
      // sharp chooses the same part by itself.
      .resize({ width, height, fit: "fill", kernel: "lanczos3", fastShrinkOnLoad: false })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
    if (data.length !== 3 * width * height) return undefined;
    return centralWindow(await upright({ width, height, data }, orientation), cached);
  });
}

async function upright(image: RgbImage, orientation: number): Promise<RgbImage> {
  if (orientation === 1) return image;
  const { width, height } = image;
  const source = sharp(image.data, { raw: { width, height, channels: 3 } }).rotate(turns[orientation]);
  if (orientation === 4) source.flip();
  if ([2, 5, 7].includes(orientation)) source.flop();
  const data = await source.raw().toBuffer();
  return orientation >= 5 ? { width: height, height: width, data } : { width, height, data };
}

/** Degrees clockwise, after it is mirrored, by the orientation of EXIF. */
const turns = [0, 0, 0, 180, 0, 270, 90, 90, 270];

/** 8 bits of grey or colour, or of colour with alpha, in the order of lines. */
function isPlain(bytes: Buffer, format: ImageFormat): boolean {
  if (format === "jpeg") return jpegFrame(bytes) !== undefined;
  return format === "png" && bytes[24] === 8 && [2, 6].includes(bytes[25]!) && bytes[28] === 0;
}

type Size = { width: number; height: number };

function middle(of: Size, { width, height }: Size) {
  const [left, top] = [Math.floor((of.width - width) / 2), Math.floor((of.height - height) / 2)];
  return { left, top, width, height };
}
