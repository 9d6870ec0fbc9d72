import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

export const imageName = (i: number) => `image_${String(i).padStart(6, "0")}.png`;

/** A project of many different small images, ready to be opened. */
export async function makeManyImages(dir: string, amount: number): Promise<void> {
  const photos = path.join(dir, "photos");
  mkdirSync(photos);
  const pixels = Buffer.alloc(32 * 32 * 3);
  for (let i = 0; i < amount; i++) {
    pixels.writeUInt32LE((i * 2654435761) % 2 ** 32, 100);
    const image = sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } });
    writeFileSync(path.join(photos, imageName(i)), await image.png({ compressionLevel: 1 }).toBuffer());
  }
  writeFileSync(
    path.join(dir, "leaf.yaml"),
    "images: photos\nstudent: { model: atto, input: { resize: 48, crop: 32 } }\n",
  );
}
