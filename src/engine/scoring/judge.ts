import { type RgbImage, withImage, withPixels } from "../images/decode.ts";
import type { ImageSource } from "../images/read.ts";
import { isFar } from "../student/outOfDistribution.ts";
import { reportedDeviation, reportedScore } from "../student/scale.ts";
import { judgePicture, type Student } from "../student/student.ts";

/** A score on the scale people gave, or on 1..5 before calibration; `sd` on the same. Absent where unknown. */
export interface Score {
  score: number;
  sd?: number;
  /** From the images that the student was distilled on, in units of its threshold; `far` above 1. */
  distance?: number;
  far?: boolean;
  /** Something worth telling of a file that is scored all the same. */
  note?: string;
}

/**
 * Scores one image, of a file or of bytes. Throws LeafErrors as `withImage` and `judgePicture`. Any number may be under way: decoded
 * pixels wait for memory, but it is for the caller to bound how many wait.
 */
export async function judgeImage(
  student: Student,
  image: ImageSource | Buffer,
  { maxPixels, name }: { maxPixels?: number; name?: string } = {},
): Promise<Score> {
  const look = async (pixels: RgbImage) => {
    const { score, sd, distance } = await judgePicture(student, pixels);
    const far = isFar(distance);
    return {
      score: reportedScore(student.card, score),
      ...(sd !== undefined && { sd: reportedDeviation(student.card, sd) }),
      ...(far !== null && { distance: distance!, far }),
      ...(pixels.note && { note: pixels.note }),
    };
  };
  return Buffer.isBuffer(image)
    ? withPixels(image, { maxPixels, name: name ?? "image" }, look)
    : withImage(image, { maxPixels }, look);
}
