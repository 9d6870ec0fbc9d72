import type { TeacherRequest } from "../../../protocol/teacher.ts";
import { explainFileSystemError, messageOf } from "../../errors.ts";
import { decodeImage, type RgbImage } from "../../images/decode.ts";
import { resize } from "../../images/resize.ts";
import type { TeacherImage } from "../teacher.ts";

/** An image decoded as everywhere in LEAF, at most `maxSide` pixels long, as a message; or why it cannot be read. */
export async function imageMessage(image: TeacherImage, maxSide: number | null): Promise<TeacherRequest> {
  try {
    const { width, height, data } = await reduce(
      await decodeImage(await image.read(), { name: image.name }),
      maxSide,
    );
    const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
    return { v: 1, type: "image", image: image.hash, width, height, pixels };
  } catch (error) {
    const reason = messageOf(explainFileSystemError(error, "read", image.name));
    return { v: 1, type: "unreadable", image: image.hash, reason };
  }
}

async function reduce(image: RgbImage, maxSide: number | null): Promise<RgbImage> {
  const longest = Math.max(image.width, image.height);
  if (maxSide === null || longest <= maxSide) return image;
  const side = (length: number) => Math.max(1, Math.round((length * maxSide) / longest));
  return resize(image, side(image.width), side(image.height));
}
