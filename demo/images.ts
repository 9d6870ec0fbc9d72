import { mkdir } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { type OutputRules, writeOutput } from "../src/engine/base/outputs.ts";
import { mapOrdered } from "../src/engine/base/pool.ts";
import { type Crop, type Distortion, distort, distortions, toSharp } from "./distort.ts";
import { cropSide, cropsPerPhoto, drawPlaces, photoSplits, type SplitName } from "./photoSplits.ts";
import { seededRandom } from "./random.ts";
import { luminance, standInForMosOf } from "./truth.ts";

/** One image of the demo and what is known of it. */
export interface DemoImage {
  /** File name, such as `coffee_c2_blur_3.png`: photo, crop, distortion, strength from 1 to 5. */
  image: string;
  /** Stand-in for MOS, 1..5. */
  mos: number;
  photo: string;
  distortion: Distortion;
  split: SplitName;
}

const levels = 5;
/** One computes while others are encoded and written. */
const atOnce = 4;

/** Every image of the demo by name, in order, without making any: the same on every machine. */
export function planImages(): (Omit<DemoImage, "mos"> & { crop: number; strength: number })[] {
  const plan = [];
  for (const split of ["train", "val", "test"] as const)
    for (const [p, photo] of photoSplits[split].entries())
      for (let crop = 0; crop < cropsPerPhoto[split]; crop++)
        for (const [k, distortion] of distortions.entries()) {
          // Each kind goes through all levels over the crops of a split.
          const level = (p * cropsPerPhoto[split] + crop + k) % levels;
          const image = `${photo}_c${crop + 1}_${distortion}_${level + 1}.png`;
          const strength = (level + seededRandom(`strength ${image}`)()) / levels;
          plan.push({ image, photo, distortion, split, crop, strength });
        }
  return plan;
}

/** Makes the images as PNG in `folder` and returns them with their truth. Throws when the signal is aborted. */
export async function makeImages(
  photos: string,
  folder: string,
  onPhoto: (done: number, total: number) => void = () => {},
  signal?: AbortSignal,
  rules: OutputRules = { force: true },
): Promise<DemoImage[]> {
  await mkdir(folder, { recursive: true });
  const plan = planImages();
  const names = [...new Set(plan.map((one) => one.photo))];
  const made: DemoImage[] = [];
  for (const [done, photo] of names.entries()) {
    const mine = plan.filter((one) => one.photo === photo);
    const crops = await cropPhoto(path.join(photos, `${photo}.jpg`), photo, cropsPerPhoto[mine[0]!.split]);
    const truths = crops.map((crop) => standInForMosOf(luminance(crop)));
    const versions = mapOrdered(
      mine,
      atOnce,
      async ({ crop, strength, ...rest }) => {
        const distorted = await distort(crops[crop]!, rest.distortion, strength, seededRandom(rest.image));
        const png = await toSharp(distorted).png({ compressionLevel: 3 }).toBuffer();
        await writeOutput(path.join(folder, rest.image), png, rules);
        return { ...rest, mos: truths[crop]!(luminance(distorted)) };
      },
      signal,
    );
    for await (const version of versions) made.push(version);
    onPhoto(done + 1, names.length);
  }
  return made;
}

/** Square crops of a photo at its own resolution. */
export async function cropPhoto(file: string, photo: string, count: number): Promise<Crop[]> {
  const { data, info } = await sharp(file)
    .autoOrient()
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const places = drawPlaces(info.width, info.height, cropSide, count, seededRandom(`places ${photo}`));
  return places.map(({ left, top }) => {
    const crop = new Uint8Array(cropSide * cropSide * 3);
    for (let y = 0; y < cropSide; y++) {
      const from = ((top + y) * info.width + left) * 3;
      crop.set(data.subarray(from, from + cropSide * 3), y * cropSide * 3);
    }
    return { side: cropSide, data: crop };
  });
}
