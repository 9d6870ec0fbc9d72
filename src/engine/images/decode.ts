import path from "node:path";
import { inEnglish, marked, say } from "../../words/text.ts";
import { LeafError, messageOf } from "../base/errors.ts";
import { BmpError, decodeBmp, readBmpHeader } from "./bmp.ts";
import {
  decodeHeic,
  decodeJpeg,
  decodeJpegXl,
  decodeTiff,
  decodeWithSharp,
  type RgbImage,
  UnreadableImage,
  undecodable,
} from "./codecs.ts";
import { hasEnd, wholeWithoutEnd } from "./ending.ts";
import { type ImageFormat, sniffFormat } from "./format.ts";
import { quickSize } from "./header.ts";
import { jpegIsProgressive } from "./jpeg.ts";
import { jxlSize } from "./jxl.ts";
import { defaultMaxPixels, fileBytes, pixelBytes, tooManyPixels } from "./limits.ts";
import { isRaw, previewOf, RawError, rawAsJpeg } from "./raw.ts";
import { type ImageSource, withImageBytes } from "./read.ts";
import { sharp } from "./sharp.ts";
import { fileSource, inMemory } from "./tiffTags.ts";

export { type RgbImage, UnreadableImage } from "./codecs.ts";

export interface ImageHeader {
  format: ImageFormat;
  /** Pixels after the EXIF orientation. */
  width: number;
  height: number;
}

export interface DecodeOptions {
  /** More pixels than this are refused before anything is decoded. */
  maxPixels?: number;
  /** How messages call an image that is given as bytes. */
  name?: string;
}

/** A file whose bytes hold no picture that can be read: as long as the bytes are the same, trying again is of no use. */
export class UndecodableImage extends LeafError {}

/**
 * What `work` makes of an image's pixels. Decoding waits until the process has room for them, and so that the room is free again
 * nothing of them may be kept. With a hash the pixels are those of its bytes. Throws LeafErrors as `decodeImage` and `withImageBytes`.
 */
export function withImage<T>(
  source: ImageSource,
  options: DecodeOptions,
  work: (image: RgbImage) => Promise<T>,
): Promise<T> {
  return withSourceBytes(source, options, (bytes, name) => withPixels(bytes, { ...options, name }, work));
}

/** What `work` makes of a file's bytes and name. An UndecodableImage of it tells the file. */
export function withSourceBytes<T>(
  source: ImageSource,
  options: DecodeOptions,
  work: (bytes: Buffer, name: string) => Promise<T>,
): Promise<T> {
  const name = options.name ?? path.basename(source.path);
  return withImageBytes(source, (bytes) => work(bytes, name)).catch((error) => {
    if (error instanceof UndecodableImage && error.file === undefined)
      throw new UndecodableImage(error.code, error.words.message, { file: source.path, cause: error.cause });
    throw error;
  });
}

/** The same of bytes that are there already. */
export async function withPixels<T>(
  bytes: Buffer,
  options: DecodeOptions,
  work: (image: RgbImage) => Promise<T>,
): Promise<T> {
  return pixelBytes.run(await decodedSize(bytes, options.maxPixels), async () =>
    work(await decodeImage(bytes, options)),
  );
}

/** About how much memory decoding takes; 0 for what is refused before anything is decoded. */
export async function decodedSize(bytes: Buffer, maxPixels = defaultMaxPixels): Promise<number> {
  const header = await probeImage(bytes).catch(() => undefined);
  if (!header || header.width * header.height > maxPixels) return 0;
  return header.width * header.height * (3 + (await besideResult(bytes, header.format)));
}

/** Bytes a pixel that a decoder holds beside the result: most JPEGs and PNGs come line by line, the others whole. */
const besides: Record<ImageFormat, number> = {
  jpeg: 0,
  png: 0,
  tiff: 0,
  webp: 4,
  gif: 4,
  avif: 6,
  // Planes and four channels in the decoder's own memory, a copy outside, and a PNG of it.
  heic: 16,
  jxl: 20,
  bmp: 7,
  raw: 0,
};

async function besideResult(bytes: Buffer, format: ImageFormat): Promise<number> {
  if (format === "raw") return besideResult(rawAsJpeg(bytes).jpeg, "jpeg");
  if (format === "jpeg") return jpegIsProgressive(bytes) ? 6 : 0;
  if (format !== "tiff") return besides[format];
  const { depth, channels } = await sharp(bytes, { limitInputPixels: false }).metadata();
  const wide = depth === "uchar" ? 0 : depth === "ushort" || depth === "short" ? 2 : 4;
  return wide === 0 ? 0 : (wide + 1) * channels;
}

/**
 * Decodes a file or its bytes, without a wait for room: see withImage. EXIF orientation and colour profile are applied; 16-bit, CMYK
 * and grey become 8-bit sRGB; of an animation the first frame counts. Throws UndecodableImage, "<name>: <reason>", and LeafError
 * `input` for too many pixels.
 */
export async function decodeImage(source: string | Buffer, options: DecodeOptions = {}): Promise<RgbImage> {
  if (typeof source === "string") {
    const name = options.name ?? path.basename(source);
    return withImageBytes({ path: source, hash: null }, (bytes) => decodeImage(bytes, { ...options, name }));
  }
  const name = options.name ?? "image";
  try {
    const header = await probeImage(source);
    const limit = options.maxPixels ?? defaultMaxPixels;
    const tooMany = tooManyPixels(header.width, header.height, limit);
    if (tooMany)
      throw new LeafError("input", say`${name}: ${tooMany}.`, {
        remedy: say`Raise \`maxMegapixels\` in the config.`,
      });
    const image = await decodeFormat(source, header.format, limit);
    // Whether the decoder missed it or not: that depends on the last bits.
    return hasEnd(source, header.format) ? image : { note: wholeWithoutEnd, ...image };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    throw new UndecodableImage("input", say`${name}: ${error.message}.`, { cause: error.cause });
  }
}

/** Whether it is one of the errors of `probeImage`. */
export function isUnreadable(error: unknown): error is Error {
  return [UnreadableImage, BmpError, RawError].some((kind) => error instanceof kind);
}

async function decodeFormat(bytes: Buffer, format: ImageFormat, maxPixels: number): Promise<RgbImage> {
  if (format === "bmp") return bmpToRgb(bytes);
  if (format === "jpeg") return decodeJpeg(bytes, maxPixels);
  if (format === "tiff") return decodeTiff(bytes, maxPixels);
  if (format === "heic") return decodeHeic(bytes, maxPixels);
  if (format === "jxl") return decodeJpegXl(bytes);
  if (format === "raw") {
    const { jpeg, note } = rawAsJpeg(bytes);
    try {
      return { ...(await decodeJpeg(jpeg, maxPixels)), ...(note ? { note } : {}) };
    } catch (error) {
      throw new RawError(inEnglish(say`its preview cannot be read: ${messageOf(error)}`), { cause: error });
    }
  }
  return decodeWithSharp(bytes, format, maxPixels);
}

/**
 * Reads format and size from the header; decodes no pixel. `bytes` may be the beginning of a file: then `rest` is the path of
 * that file, for formats that keep the header elsewhere. Throws what `isUnreadable` knows, with the reason as message.
 */
export async function probeImage(bytes: Buffer, rest?: string): Promise<ImageHeader> {
  if (bytes.length === 0) throw new UnreadableImage(marked("the file is empty"));
  const format = sniffFormat(bytes);
  if (format === undefined) throw new UnreadableImage(marked("not an image of a known format"));
  if (format === "raw" || (format === "tiff" && rest !== undefined)) {
    // A TIFF may keep behind the beginning what tells that it is raw.
    const source = rest === undefined ? inMemory(bytes) : fileSource(rest);
    try {
      if (format === "raw" || isRaw(source)) {
        const read = async () => previewOf(source);
        const { width, height } = await (rest === undefined ? read() : fileBytes.run(source.size, read));
        return { format: "raw", width, height };
      }
    } finally {
      source.close?.();
    }
  }
  if (format === "bmp") {
    const { width, height } = readBmpHeader(bytes);
    return { format, width, height };
  }
  const quick = format === "jxl" ? jxlSize(bytes) : quickSize(bytes);
  if (quick) return { format, ...quick };
  const read = async (source: Buffer | string) => {
    const { autoOrient } = await sharp(source, { limitInputPixels: false, failOn: "none" }).metadata();
    if (!(autoOrient.width > 0 && autoOrient.height > 0)) throw new Error("no size");
    return { format, width: autoOrient.width, height: autoOrient.height };
  };
  try {
    return await read(bytes).catch((error: unknown) => {
      if (rest === undefined) throw error;
      return read(rest);
    });
  } catch (error) {
    throw undecodable(format, error);
  }
}

async function bmpToRgb(bytes: Buffer): Promise<RgbImage> {
  const { width, height, channels, data } = decodeBmp(bytes);
  if (channels === 3) return { width, height, data };
  const flat = await sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
    .flatten({ background: "#ffffff" })
    .raw()
    .toBuffer();
  return { width, height, data: flat };
}
