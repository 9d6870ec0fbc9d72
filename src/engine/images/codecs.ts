import { inEnglish, marked, say } from "../../words/text.ts";
import { messageOf } from "../base/errors.ts";
import { displayName, type ImageFormat } from "./format.ts";
import { heicAsPng } from "./heic.ts";
import { jpegEnd, jpegScansComplete } from "./jpeg.ts";
import { decodeJxl } from "./jxl.ts";
import { SampleError, unusualSamples } from "./samples.ts";
import { sharp } from "./sharp.ts";

/** A decoded picture: `data` is interleaved 8-bit sRGB, height * width * 3 bytes, upright, transparency over white. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
  /** Something worth telling of a file that is used all the same: what it lacks, or what was assumed. */
  note?: string;
}

/** Why an image cannot be read, in plain words and without its name. */
export class UnreadableImage extends Error {}

/** Throws UnreadableImage. */
export async function decodeWithSharp(
  bytes: Buffer,
  format: ImageFormat,
  maxPixels: number,
  failOn: "error" | "warning" = "error",
): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(bytes, { failOn, limitInputPixels: maxPixels, autoOrient: true })
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

const endOfJpeg = Buffer.from([0xff, 0xd9]);
/** Bits that no encoder ends with. */
const filler = Buffer.alloc(64, 0x55);

/**
 * Cameras and broken connections leave JPEGs without an end marker: with one put behind, a file whose data is whole decodes without
 * a complaint, and a cut one with. Complaints about others are small, but for data that ends within the picture. What a complaint
 * says is not looked at: libvips keeps the words of all threads in one place.
 */
export async function decodeJpeg(bytes: Buffer, maxPixels: number): Promise<RgbImage> {
  try {
    return await decodeWithSharp(bytes, "jpeg", maxPixels, "warning");
  } catch (error) {
    const end = jpegEnd(bytes);
    if (end === undefined) {
      const cut = new UnreadableImage(marked("the JPEG data is truncated"), { cause: error });
      const ended = Buffer.concat([bytes, endOfJpeg]);
      // What a download left empty reads as picture, too.
      if (bytes.subarray(-16).every((byte) => byte === 0) || !jpegScansComplete(ended)) throw cut;
      return decodeWithSharp(ended, "jpeg", maxPixels, "warning").catch(() => {
        throw cut;
      });
    }
    const image = await decodeWithSharp(bytes, "jpeg", maxPixels);
    const longer = Buffer.concat([bytes.subarray(0, end), filler, endOfJpeg]);
    const other = await decodeWithSharp(longer, "jpeg", maxPixels).catch(() => undefined);
    // Where more data makes another picture, there was not enough of it.
    if (!other || Buffer.compare(other.data, image.data) === 0) return image;
    return { ...image, note: marked("its data ends early: a part of the picture may be missing") };
  }
}

/** Floats and numbers of more than 8 bits by the range of their values: see samples.ts. */
export async function decodeTiff(bytes: Buffer, maxPixels: number): Promise<RgbImage> {
  try {
    const samples = await unusualSamples(bytes);
    if (!samples) return await decodeWithSharp(bytes, "tiff", maxPixels);
    const { width, height, channels, data, note } = samples;
    const flat = await sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
    return { width, height, data: flat, note };
  } catch (error) {
    throw error instanceof SampleError ? new UnreadableImage(error.message) : undecodable("tiff", error);
  }
}

/** HEVC pictures of phones; those in AVIF are libvips'. Throws UnreadableImage. */
export async function decodeHeic(bytes: Buffer, maxPixels: number): Promise<RgbImage> {
  try {
    return await decodeWithSharp(await heicAsPng(bytes), "heic", maxPixels);
  } catch (error) {
    throw undecodable("heic", error);
  }
}

/** Throws UnreadableImage. */
export async function decodeJpegXl(bytes: Buffer): Promise<RgbImage> {
  try {
    const { width, height, data } = await decodeJxl(bytes);
    const flat = await sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: false })
      .flatten({ background: "#ffffff" })
      .raw()
      .toBuffer();
    return { width, height, data: flat };
  } catch (error) {
    throw undecodable("jxl", error);
  }
}

/** What a decoder said, in plain words. */
export function undecodable(format: ImageFormat, error: unknown): UnreadableImage {
  if (error instanceof UnreadableImage) return error;
  const detail = messageOf(error).split("\n")[0]!.trim();
  const reason = /premature end|truncated/i.test(detail)
    ? inEnglish(say`the ${displayName(format)} data is truncated`)
    : inEnglish(
        say`the ${displayName(format)} data is truncated or corrupt (${detail.replace(/[:.]$/, "")})`,
      );
  return new UnreadableImage(reason, { cause: error });
}
