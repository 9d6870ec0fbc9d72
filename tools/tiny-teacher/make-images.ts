// Usage: node tools/tiny-teacher/make-images.ts OUT [CROPS]
// Distorted crops of the demo's photos with their MS-SSIM truth: OUT/pixels.bin (uint8, n * 192 * 192 * 3) and OUT/images.json.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { finished } from "node:stream/promises";
import sharp from "sharp";
import { type Crop, type Distortion, distort, distortions } from "../../demo/distort.ts";
import { cropSide, drawPlaces, photoSplits, type SplitName } from "../../demo/photoSplits.ts";
import { type Random, seededRandom } from "../../demo/random.ts";
import { luminance, standInForMos } from "../../demo/truth.ts";

interface MadeImage {
  photo: string;
  split: SplitName;
  crop: number;
  kind: Distortion | "none";
  /** 0..1 within its kind. */
  strength: number;
  /** Stand-in for MOS, 1..5. */
  mos: number;
}

const [out, cropsText = "40"] = process.argv.slice(2);
if (out === undefined) {
  console.error("Usage: node tools/tiny-teacher/make-images.ts OUT [CROPS of a photo, default 40]");
  process.exit(2);
}
const photos = path.join(import.meta.dirname, "..", "..", "demo", "photos");
await mkdir(out, { recursive: true });
const pixels = createWriteStream(path.join(out, "pixels.bin"));
const made: MadeImage[] = [];
// The test photos stay out: what is shown of the teacher is measured on them.
for (const split of ["train", "val"] as const)
  for (const photo of photoSplits[split]) {
    for (let crop = 0; crop < Number(cropsText); crop++) {
      const random = seededRandom(`tiny-teacher ${photo} ${crop}`);
      const pristine = await cropOf(path.join(photos, `${photo}.jpg`), random);
      const plane = luminance(pristine);
      for (const kind of ["none", ...distortions] as const) {
        const strength = kind === "none" ? 0 : random();
        const image = kind === "none" ? pristine : await distort(pristine, kind, strength, random);
        made.push({ photo, split, crop, kind, strength, mos: standInForMos(plane, luminance(image)) });
        if (!pixels.write(image.data)) await once(pixels, "drain");
      }
    }
    console.error(`${photo}: ${made.length} images`);
  }
pixels.end();
await finished(pixels);
await writeFile(path.join(out, "images.json"), JSON.stringify({ side: cropSide, images: made }));

/** A random window of the photo at a random scale, at most its own size: the content varies, the camera's faults shrink. */
async function cropOf(file: string, random: Random): Promise<Crop> {
  const { width, height } = await sharp(file).metadata();
  const least = cropSide / Math.min(width, height);
  const scale = random() < 0.5 ? 1 : Math.max(least, 0.4 + 0.6 * random());
  const size = [width, height].map((side) => Math.max(cropSide, Math.round(side * scale))) as [
    number,
    number,
  ];
  const [place] = drawPlaces(size[0], size[1], cropSide, 1, random);
  const data = await sharp(file)
    .resize(...size, { kernel: "lanczos3", fit: "fill" })
    .extract({ ...place!, width: cropSide, height: cropSide })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer();
  return { side: cropSide, data: new Uint8Array(data) };
}
