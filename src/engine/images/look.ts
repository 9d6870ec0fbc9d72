import type { Sharp } from "sharp";
import { type DecodeOptions, decodeImage, probeImage } from "./decode.ts";
import type { ImageFormat } from "./format.ts";
import { defaultMaxPixels } from "./limits.ts";
import { sharp } from "./sharp.ts";

/** Side in pixels of the small grey picture by which images are compared. */
export const lookSide = 32;

/** Formats that libvips makes small while it decodes, line by line or by shrinking on load. */
const streamed: ImageFormat[] = ["jpeg", "png", "webp"];

/** An image as `lookSide` × `lookSide` grey values, whatever its shape: uint8, row by row. Throws as `decodeImage`. */
export async function lookOf(bytes: Buffer, options: DecodeOptions = {}): Promise<Uint8Array> {
  const { format } = await probeImage(bytes);
  const maxPixels = options.maxPixels ?? defaultMaxPixels;
  if (streamed.includes(format)) {
    const small = await grey(
      sharp(bytes, { failOn: "error", limitInputPixels: maxPixels, autoOrient: true }),
    ).catch(() => undefined);
    if (small) return small;
  }
  const { data, width, height } = await decodeImage(bytes, options);
  return grey(sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false }));
}

async function grey(picture: Sharp): Promise<Uint8Array> {
  return picture
    .flatten({ background: "#ffffff" })
    .resize(lookSide, lookSide, { fit: "fill" })
    .toColourspace("b-w")
    .raw({ depth: "uchar" })
    .toBuffer();
}
