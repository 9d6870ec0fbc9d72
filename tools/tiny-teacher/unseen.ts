import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { distort, distortions, toSharp } from "../../demo/distort.ts";
import { cropPhoto } from "../../demo/images.ts";
import { photoSplits } from "../../demo/photoSplits.ts";
import { seededRandom } from "../../demo/random.ts";
import { luminance, standInForMos } from "../../demo/truth.ts";

/** A distorted crop of a photo, and its stand-in for MOS: MS-SSIM with the pristine crop on 1..5. */
export interface UnseenImage {
  image: string;
  photo: string;
  mos: number;
}

/** Photos that the tiny teacher was not fitted on, nor chosen by. */
export const unseenPhotos = photoSplits.test;

/** Photos that it was not fitted on, but that were watched while it was built. */
export const watchedPhotos = photoSplits.val;

/** Writes crops of one photo into `folder` as PNG, every distortion at a random strength. */
export async function makeUnseen(folder: string, photo: string, crops: number): Promise<UnseenImage[]> {
  await mkdir(folder, { recursive: true });
  const file = path.join(import.meta.dirname, "..", "..", "demo", "photos", `${photo}.jpg`);
  const made: UnseenImage[] = [];
  for (const [number, pristine] of (await cropPhoto(file, photo, crops)).entries()) {
    const plane = luminance(pristine);
    for (const kind of distortions) {
      const image = `${photo}_${number}_${kind}.png`;
      const random = seededRandom(`unseen ${image}`);
      const distorted = await distort(pristine, kind, random(), random);
      await writeFile(path.join(folder, image), await toSharp(distorted).png().toBuffer());
      made.push({ image, photo, mos: standInForMos(plane, luminance(distorted)) });
    }
  }
  return made;
}

export interface ComparedPair {
  /** Truth of both images. */
  a: number;
  b: number;
  /** The teacher's probability that a is better. */
  p: number;
}

/** Share of pairs whose better image the teacher names, among those whose truths differ. */
export function accuracy(pairs: readonly ComparedPair[]): { n: number; right: number } {
  const decided = pairs.filter(({ a, b }) => a !== b);
  const right = decided.filter(({ a, b, p }) => p > 0.5 === a > b).length;
  return { n: decided.length, right: right / decided.length };
}
