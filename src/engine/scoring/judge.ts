import { preparedBytes, preparedImage } from "../images/prepared.ts";
import type { ImageSource } from "../images/read.ts";
import { judgePrepared, type Student } from "../student/student.ts";
import { reported, type Score } from "./reported.ts";

/** `note`: something worth telling of a file that is scored all the same. */
export type NotedScore = Score & { note?: string };

/**
 * Scores one image, of a file or of bytes. Throws LeafErrors as `preparedImage` and `judgePrepared`. Any number may be under way: decoded
 * pixels wait for memory, but it is for the caller to bound how many wait.
 */
export async function judgeImage(
  student: Student,
  image: ImageSource | Buffer,
  { maxPixels, name }: { maxPixels?: number; name?: string } = {},
): Promise<NotedScore> {
  const { input } = student.card;
  const picture = await (Buffer.isBuffer(image)
    ? preparedBytes(image, input, { maxPixels, name: name ?? "image" })
    : preparedImage(image, input, { maxPixels }));
  const score = reported(student.card, await judgePrepared(student, picture));
  return picture.note ? { ...score, note: picture.note } : score;
}
