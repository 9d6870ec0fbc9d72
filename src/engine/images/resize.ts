import type { RgbImage } from "./decode.ts";
import { sharp } from "./sharp.ts";

/** Scales a picture to exactly these sizes in pixels (Lanczos 3, on sRGB values). */
export async function resize(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  const data = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: 3 },
    limitInputPixels: false,
  })
    .resize({ width, height, fit: "fill", kernel: "lanczos3" })
    .raw()
    .toBuffer();
  return { width, height, data };
}
