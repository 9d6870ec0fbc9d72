import { writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { csv } from "../../demo/demoWorkspace.ts";
import { makeUnseen, type UnseenImage, unseenPhotos, watchedPhotos } from "./unseen.ts";

/** Photos that the student does not see either: one in colour, two monochrome. The student learns from the others. */
export const heldOut = ["coffee", "allium-oreophilum", "nagasaki-boats"];
/** Of a pair of the tiny teacher: below it, it is hardly more often right than wrong. */
export const minConfidence = 0.1;

/** Crops of photos that the tiny teacher was not fitted on, with their truth and split (`mos.csv`); so many of each to learn from. */
export async function makeProject(folder: string, crops: number): Promise<UnseenImage[]> {
  const images: UnseenImage[] = [];
  for (const photo of [...unseenPhotos, ...watchedPhotos])
    images.push(
      ...(await makeUnseen(path.join(folder, "images"), photo, heldOut.includes(photo) ? 4 : crops)),
    );
  const rows = images.map(({ image, mos, photo }) => [
    image,
    mos.toFixed(4),
    heldOut.includes(photo) ? "test" : "train",
  ]);
  await writeFile(path.join(folder, "mos.csv"), csv(["image", "mos", "split"], rows));
  return images;
}

export function configText(endpoint: string, epochs: number): string {
  return stringify({
    images: "images",
    mos: { file: "mos.csv", image: "image", score: "mos", range: [1, 5] },
    split: { file: "mos.csv", image: "image", column: "split" },
    teacher: { kind: "openai", endpoint, model: "tiny-teacher", concurrency: 2 },
    label: { pairsPerImage: 8, minConfidence },
    student: { model: "efficientnet-lite0", input: { resize: null, crop: 96, views: 5 } },
    distill: { epochs, batch: 16, lr: { backbone: 1e-3, head: 3e-3 }, keep: "last" },
    evaluate: { split: "test" },
    python: { threads: 1 },
  });
}
