import sharp, { type Sharp } from "sharp";
import { normal, type Random } from "./random.ts";

/** Interleaved 8-bit sRGB, side * side * 3 bytes. */
export interface Crop {
  side: number;
  data: Uint8Array;
}

/** Kinds of distortion; `mixed` is blur, then noise, then JPEG. */
export const distortions = [
  "blur",
  "jpeg",
  "webp",
  "avif",
  "noise",
  "downscale",
  "saltpepper",
  "posterise",
  "contrast",
  "exposure",
  "mixed",
] as const;
export type Distortion = (typeof distortions)[number];

/** From `mild` at strength 0 to `strong` at 1, by equal ratios: what the eye sees follows ratios rather than differences. */
function between(mild: number, strong: number, strength: number): number {
  return mild * (strong / mild) ** strength;
}

/** Distorts a crop; `strength` is 0 (hardly seen) to 1 (severe). Same crop, strength and random numbers: same bytes. */
export async function distort(crop: Crop, kind: Distortion, strength: number, random: Random): Promise<Crop> {
  switch (kind) {
    case "blur":
      return fromSharp(crop, toSharp(crop).blur(between(0.5, 5, strength)));
    case "jpeg":
      return throughCodec(crop, (image) => image.jpeg({ quality: quality(90, 4, strength) }));
    case "webp":
      return throughCodec(crop, (image) => image.webp({ quality: quality(90, 1, strength) }));
    case "avif":
      return throughCodec(crop, (image) => image.avif({ quality: quality(75, 5, strength), effort: 0 }));
    case "noise": {
      const deviation = between(3, 55, strength);
      return mapValues(crop, (value) => value + deviation * normal(random));
    }
    case "downscale": {
      const small = Math.round(crop.side / between(1.3, 8, strength));
      const shrunk = await toSharp(crop).resize(small, small, { kernel: "lanczos3" }).png().toBuffer();
      return fromSharp(crop, sharp(shrunk).resize(crop.side, crop.side, { kernel: "cubic" }));
    }
    case "saltpepper": {
      const share = between(0.0006, 0.06, strength);
      const data = Uint8Array.from(crop.data);
      for (let i = 0; i < data.length; i += 3)
        if (random() < share) data.fill(random() < 0.5 ? 0 : 255, i, i + 3);
      return { side: crop.side, data };
    }
    case "posterise": {
      const steps = Math.round(between(32, 3, strength)) - 1;
      return mapValues(crop, (value) => (Math.round((value / 255) * steps) / steps) * 255);
    }
    case "contrast": {
      const kept = between(0.95, 0.25, strength);
      return mapValues(crop, (value) => 128 + kept * (value - 128));
    }
    case "exposure": {
      const stops = between(0.12, 1.8, strength) * (random() < 0.5 ? 1 : -1);
      return mapValues(crop, (value) => value * 2 ** stops);
    }
    case "mixed": {
      const blurred = await distort(crop, "blur", strength * 0.6, random);
      const noisy = await distort(blurred, "noise", strength * 0.6, random);
      return distort(noisy, "jpeg", strength * 0.7, random);
    }
  }
}

function quality(mild: number, strong: number, strength: number): number {
  return Math.round(between(mild, strong, strength));
}

/** A sharp pipeline on the crop's pixels. */
export function toSharp(crop: Crop): Sharp {
  return sharp(crop.data, { raw: { width: crop.side, height: crop.side, channels: 3 } });
}

async function fromSharp(crop: Crop, image: Sharp): Promise<Crop> {
  const data = await image.toColourspace("srgb").removeAlpha().raw({ depth: "uchar" }).toBuffer();
  if (data.length !== crop.data.length) throw new Error(`a distortion changed the size of a crop`);
  return { side: crop.side, data };
}

async function throughCodec(crop: Crop, encode: (image: Sharp) => Sharp): Promise<Crop> {
  return fromSharp(crop, sharp(await encode(toSharp(crop)).toBuffer()));
}

function mapValues(crop: Crop, change: (value: number) => number): Crop {
  const data = new Uint8Array(crop.data.length);
  for (let i = 0; i < data.length; i++)
    data[i] = Math.min(255, Math.max(0, Math.round(change(crop.data[i]!))));
  return { side: crop.side, data };
}
