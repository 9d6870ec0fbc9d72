import { throwIfCancelled } from "../base/errors.ts";
import { type DecodeOptions, decodedSize, type RgbImage, withPixels, withSourceBytes } from "./decode.ts";
import { hasEnd } from "./ending.ts";
import { type ImageFormat, sniffFormat } from "./format.ts";
import { quickSize } from "./header.ts";
import { jpegFrame, jpegOrientation } from "./jpeg.ts";
import { defaultMaxPixels, pixelBytes } from "./limits.ts";
import type { ImageSource } from "./read.ts";
import { sharp } from "./sharp.ts";
import { geometry, prepare, type StudentInput, trimmedSize } from "./views.ts";

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
 * The same of bytes. Bit for bit what `prepare` makes of the decoded picture; but most JPEGs and PNGs are scaled while they are decoded, line by
 * line, which takes half the time and a small part of the memory.
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
