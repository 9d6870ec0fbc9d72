import { writeFileAtomic, writeJson } from "../base/files.ts";
import type { RgbImage } from "../images/decode.ts";
import { heatMap } from "../student/heatMap.ts";
import { heatOverlay, heatPicture } from "../student/heatPicture.ts";
import type { Student } from "../student/student.ts";
import { type HeatFiles, heatSides } from "./pictureFiles.ts";

/**
 * Writes an image's heat map: `small` (on the image, for a hover), `overlay` (transparent, to lay over the image) and, last, its
 * figures. Throws LeafErrors: `input` from a student without heat maps, `failed` where the disk does.
 */
export async function makeHeat(
  student: Student,
  image: RgbImage,
  files: HeatFiles,
  prepared?: RgbImage,
): Promise<void> {
  const map = await heatMap(student, image, prepared);
  await writeFileAtomic(
    files.small,
    await heatPicture(image, map, { longestSide: heatSides.small, legend: false }),
  );
  await writeFileAtomic(files.overlay, await heatOverlay(map, heatSides.overlay));
  await writeJson(files.figures, map);
}
