import type { Sharp } from "sharp";
import { decodedSize, decodeImage } from "../../images/decode.ts";
import { endsWell, tailBytes } from "../../images/ending.ts";
import { sniffFormat } from "../../images/format.ts";
import { defaultMaxPixels, pixelBytes } from "../../images/limits.ts";
import { unusualSamples } from "../../images/samples.ts";
import { sharp } from "../../images/sharp.ts";
import { plainSize } from "./plain.ts";

const jpegQuality = 95;

/**
 * An image as a data URL, in ASCII, for a chat message. JPEG and PNG that are small enough, upright, whole, opaque, 8-bit and sRGB go as they are; these two
 * are read by all servers (llama.cpp decodes with stb_image, which knows no WebP; vLLM and SGLang with Pillow). All else
 * is made upright, put over white, reduced to `maxSide` pixels and sent as PNG, or as JPEG (quality 95, 4:4:4) where reducing has changed
 * the pixels anyway. Throws LeafError `input` for bytes that cannot be decoded.
 */
export async function toDataUrl(
  bytes: Buffer,
  maxSide: number | null,
  name: string,
  maxPixels = defaultMaxPixels,
): Promise<Buffer> {
  const format = sniffFormat(bytes);
  // A cut file is decoded here, so that it fails whatever the server makes of it.
  const whole = (format === "jpeg" || format === "png") && endsWell(bytes.subarray(-tailBytes), format);
  if (whole && (await isPlain(bytes, maxSide))) return dataUrl(format, bytes);
  return pixelBytes.run(await decodedSize(bytes, maxPixels), async () => {
    try {
      // Of raw it would send the thumbnail.
      if (format === "raw" || (format === "tiff" && (await unusualSamples(bytes)))) return await decoded();
      const read = sharp(bytes, { failOn: "error", limitInputPixels: maxPixels, autoOrient: true });
      return await encode(read, maxSide);
    } catch {
      // Formats that sharp does not know, files that lack no more than their end, and LEAF's own words for what is wrong.
      return decoded();
    }
  });

  async function decoded(): Promise<Buffer> {
    const { width, height, data } = await decodeImage(bytes, { name, maxPixels });
    return encode(sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false }), maxSide);
  }
}

async function isPlain(bytes: Buffer, maxSide: number | null): Promise<boolean> {
  const fits = ({ width, height }: { width: number; height: number }) =>
    maxSide === null || Math.max(width, height) <= maxSide;
  const plain = plainSize(bytes);
  if (plain) return fits(plain);
  try {
    const { width, height, orientation, hasAlpha, depth, space, icc, pages } = await sharp(bytes).metadata();
    return (
      fits({ width, height }) &&
      (orientation ?? 1) === 1 &&
      !hasAlpha &&
      depth === "uchar" &&
      (space === "srgb" || space === "b-w") &&
      (pages ?? 1) === 1 &&
      (icc === undefined || icc.includes("sRGB") || icc.includes("s\0R\0G\0B"))
    );
  } catch {
    return false;
  }
}

async function encode(read: Sharp, maxSide: number | null): Promise<Buffer> {
  const { autoOrient } = await read.metadata();
  const reduced = maxSide !== null && Math.max(autoOrient.width, autoOrient.height) > maxSide;
  const picture = read.flatten({ background: "#ffffff" }).toColourspace("srgb");
  if (!reduced) return dataUrl("png", await picture.png({ compressionLevel: 3 }).toBuffer());
  picture.resize({ width: maxSide, height: maxSide, fit: "inside", kernel: "lanczos3" });
  const jpeg = await picture.jpeg({ quality: jpegQuality, chromaSubsampling: "4:4:4" }).toBuffer();
  return dataUrl("jpeg", jpeg);
}

/** A multiple of 3, so that the pieces join; larger strings cost five times as much, mostly in fresh memory. */
const encodedAtOnce = 24 * 1024;

export function dataUrl(format: "jpeg" | "png", bytes: Buffer): Buffer {
  const head = `data:image/${format};base64,`;
  const url = Buffer.allocUnsafe(head.length + 4 * Math.ceil(bytes.length / 3));
  let at = url.write(head, "latin1");
  for (let from = 0; from < bytes.length; from += encodedAtOnce)
    at += url.write(
      bytes.toString("base64", from, Math.min(bytes.length, from + encodedAtOnce)),
      at,
      "latin1",
    );
  return url;
}
