import type { TeacherRequest } from "../../../protocol/teacher.ts";
import { messageOf } from "../../base/errors.ts";
import { type RgbImage, withPixels } from "../../images/decode.ts";
import { bytesOfHash } from "../../images/read.ts";
import { resize } from "../../images/resize.ts";
import type { TeacherImage } from "../teacher.ts";

/** An image decoded as everywhere in LEAF, at most `maxSide` pixels long, as a message; or why it cannot be read. */
export async function imageMessage(
  image: TeacherImage,
  maxSide: number | null,
  maxPixels?: number,
): Promise<TeacherRequest> {
  const { hash, name } = image;
  try {
    return await withPixels(await bytesOfHash(image), { name, maxPixels }, async (decoded) => {
      const { width, height, data } = await reduce(decoded, maxSide);
      const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
      return { v: 1, type: "image", image: hash, width, height, pixels };
    });
  } catch (error) {
    return { v: 1, type: "unreadable", image: hash, reason: messageOf(error) };
  }
}

async function reduce(image: RgbImage, maxSide: number | null): Promise<RgbImage> {
  const longest = Math.max(image.width, image.height);
  if (maxSide === null || longest <= maxSide) return image;
  const side = (length: number) => Math.max(1, Math.round((length * maxSide) / longest));
  return resize(image, side(image.width), side(image.height));
}
