import { type RgbImage, withImage, withPixels } from "../images/decode.ts";
import type { ImageSource } from "../images/read.ts";
import { judgePicture, type Student } from "../student/student.ts";
import { reported, type Score } from "./reported.ts";

/** `note`: something worth telling of a file that is scored all the same. */
export type NotedScore = Score & { note?: string };

/**
 * Scores one image, of a file or of bytes. Throws LeafErrors as `withImage` and `judgePicture`. Any number may be under way: decoded
 * pixels wait for memory, but it is for the caller to bound how many wait.
 */
export async function judgeImage(
  student: Student,
  image: ImageSource | Buffer,
  { maxPixels, name }: { maxPixels?: number; name?: string } = {},
): Promise<NotedScore> {
  const look = async (pixels: RgbImage) => {
    const score = reported(student.card, await judgePicture(student, pixels));
    return pixels.note ? { ...score, note: pixels.note } : score;
  };
  return Buffer.isBuffer(image)
    ? withPixels(image, { maxPixels, name: name ?? "image" }, look)
    : withImage(image, { maxPixels }, look);
}
