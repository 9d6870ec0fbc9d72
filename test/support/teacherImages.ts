import sharp from "sharp";
import { hashBytes } from "../../src/engine/base/files.ts";
import { seededRandom } from "../../src/engine/base/random.ts";
import type { TeacherImage } from "../../src/engine/teachers/teacher.ts";

/** `n` different small pictures, ordered by hash as a dataset is. */
export async function teacherImages(n: number, side = 64): Promise<TeacherImage[]> {
  const random = seededRandom(7);
  const images = await Promise.all(
    Array.from({ length: n }, async (_, i) => {
      const pixels = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => Math.floor(random() * 256)));
      const bytes = await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
        .resize(side, side)
        .png()
        .toBuffer();
      return { hash: hashBytes(bytes), name: `${i}.png`, read: async () => bytes };
    }),
  );
  return images.sort((a, b) => (a.hash < b.hash ? -1 : 1));
}
