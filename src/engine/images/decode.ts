import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { explainFileSystemError, LeafError, messageOf } from "../errors.ts";
import { BmpError, decodeBmp, readBmpHeader } from "./bmp.ts";
import { displayName, type ImageFormat, sniffFormat } from "./format.ts";
import { quickSize } from "./header.ts";

/** A decoded picture: `data` is interleaved 8-bit sRGB, height * width * 3 bytes, upright, transparency over white. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
}

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

export const defaultMaxPixels = 100_000_000;
const maxFileBytes = 2 ** 31 - 1;

// Images are decoded side by side; libvips' own threads and its operation cache would only add memory.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes a file or its bytes. EXIF orientation and colour profile are applied; 16-bit, CMYK and grey become 8-bit sRGB;
 * of an animation the first frame counts. Throws a LeafError `input`, "<name>: <reason>".
 */
export async function decodeImage(source: string | Buffer, options: DecodeOptions = {}): Promise<RgbImage> {
  const name = options.name ?? (typeof source === "string" ? path.basename(source) : "image");
  const details = typeof source === "string" ? { file: source } : {};
  const bytes = typeof source === "string" ? await readImageFile(source, name) : source;
  try {
    const header = await probeImage(bytes);
    const limit = options.maxPixels ?? defaultMaxPixels;
    if (header.width * header.height > limit) {
      const megapixels = (pixels: number) => `${Number((pixels / 1e6).toFixed(1))} megapixels`;
      throw new UnreadableImage(
        `too many pixels: ${header.width} x ${header.height}, more than ${megapixels(limit)}`,
      );
    }
    return header.format === "bmp"
      ? await bmpToRgb(bytes)
      : await decodeWithSharp(bytes, header.format, limit);
  } catch (error) {
    if (!(error instanceof UnreadableImage || error instanceof BmpError)) throw error;
    throw new LeafError("input", `${name}: ${error.message}.`, { ...details, cause: error.cause });
  }
}

/** Why an image cannot be read, in plain words and without its name. */
export class UnreadableImage extends Error {}

/**
 * Reads format and size from the header; decodes no pixel. `bytes` may be the beginning of a file: then `rest` is the path of
 * that file, for formats that keep the header elsewhere. Throws UnreadableImage or BmpError, both with the reason as message.
 */
export async function probeImage(bytes: Buffer, rest?: string): Promise<ImageHeader> {
  if (bytes.length === 0) throw new UnreadableImage("the file is empty");
  const format = sniffFormat(bytes);
  if (format === undefined) throw new UnreadableImage("not an image of a known format");
  if (format === "bmp") {
    const { width, height } = readBmpHeader(bytes);
    return { format, width, height };
  }
  const quick = quickSize(bytes);
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

async function decodeWithSharp(bytes: Buffer, format: ImageFormat, maxPixels: number): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(bytes, {
      failOn: "error",
      limitInputPixels: maxPixels,
      autoOrient: true,
    })
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels`);
    return { width: info.width, height: info.height, data };
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

async function readImageFile(file: string, name: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > maxFileBytes) throw new LeafError("input", `${name}: the file is over 2 GB.`, { file });
    return await readFile(file);
  } catch (error) {
    throw explainFileSystemError(error, "read", file);
  }
}

function undecodable(format: ImageFormat, error: unknown): UnreadableImage {
  const detail = messageOf(error).split("\n")[0]!.trim();
  if (format === "heic")
    return new UnreadableImage("HEIC (HEVC) cannot be decoded here; convert it to JPEG or PNG", {
      cause: error,
    });
  const reason = /premature end|truncated/i.test(detail)
    ? `the ${displayName(format)} data is truncated`
    : `the ${displayName(format)} data is truncated or corrupt (${detail.replace(/[:.]$/, "")})`;
  return new UnreadableImage(reason, { cause: error });
}
