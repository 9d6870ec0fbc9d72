import type { Sharp } from "sharp";
import { writeFileAtomic } from "../base/files.ts";
import { decodedSize } from "../images/decode.ts";
import { sniffFormat } from "../images/format.ts";
import { defaultMaxPixels, pixelBytes } from "../images/limits.ts";
import { sharp } from "../images/sharp.ts";
import type { OpenedImage } from "./openedImages.ts";
import { longestSide, type PictureSize } from "./pictureFiles.ts";

/**
 * Writes the picture of an image to `file`: upright, 8-bit sRGB, transparency over white; see PictureSize.
 * Throws LeafErrors: `input` for an image that cannot be decoded, `failed` where the disk does.
 */
export async function makePicture(image: OpenedImage, size: PictureSize, file: string): Promise<void> {
  const picture =
    (size === "small" ? await shrunk(image).catch(() => undefined) : undefined) ??
    (await image.withPixels(({ width, height, data }) =>
      encoded(sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false }), size),
    ));
  await writeFileAtomic(file, picture);
}

function encoded(source: Sharp, size: PictureSize): Promise<Buffer> {
  const side = longestSide[size];
  const scaled = source.resize({ width: side, height: side, fit: "inside", withoutEnlargement: true });
  return (
    size === "small" ? scaled.webp({ quality: 80, effort: 2 }) : scaled.webp({ lossless: true, effort: 0 })
  ).toBuffer();
}

/**
 * JPEG and WebP are decoded at a fraction of their size: a tenth of the time for 12 megapixels. undefined for other formats;
 * throws where the file is not whole.
 */
async function shrunk(image: OpenedImage): Promise<Buffer | undefined> {
  const bytes = await image.bytes();
  const format = sniffFormat(bytes);
  if (format !== "jpeg" && format !== "webp") return undefined;
  const { maxPixels = defaultMaxPixels } = image;
  const source = sharp(bytes, { failOn: "error", limitInputPixels: maxPixels, autoOrient: true })
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb");
  return pixelBytes.run((await decodedSize(bytes, maxPixels)) / 4, () => encoded(source, "small"));
}
