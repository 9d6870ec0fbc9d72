import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { LeafError } from "../../src/engine/base/errors.ts";
import { decodeImage, type RgbImage } from "../../src/engine/images/decode.ts";
import { picture } from "../support/pictures.ts";
import { tiff } from "../support/tiff.ts";
import { mutated } from "./support/mutate.ts";
import { pick, trials, within } from "./support/trials.ts";

// Damaged files of every format: a picture of the size it says, or one sentence. Never a crash, a hang, or another error.

const files: { name: string; bytes: Buffer }[] = [];

beforeAll(async () => {
  const grey16 = sharp(Buffer.alloc(24 * 16 * 2, 77), { raw: { width: 24, height: 16, channels: 1 } });
  const made = {
    "a.jpg": picture(64, 48).jpeg(),
    "progressive.jpg": picture(64, 48).jpeg({ progressive: true }),
    "cmyk.jpg": picture(32, 32).toColourspace("cmyk").jpeg(),
    "a.png": picture().png(),
    "interlaced.png": picture().png({ progressive: true, palette: true }),
    "grey16.png": grey16.toColourspace("grey16").png(),
    "a.webp": picture().webp(),
    "a.tiff": picture().tiff(),
    "tiled.tiff": picture(96, 96).tiff({ tile: true, compression: "deflate" }),
    "a.gif": picture().gif(),
    "a.avif": picture().avif({ effort: 0 }),
  };
  for (const [name, image] of Object.entries(made)) files.push({ name, bytes: await image.toBuffer() });
  files.push({ name: "a.bmp", bytes: bmp(20, 10) });
  const floats = Float32Array.from({ length: 24 * 16 }, (_, i) => i / 384);
  files.push({ name: "float.tiff", bytes: tiff(floats, 24, 16) });
  files.push({
    name: "twelve.tiff",
    bytes: tiff(
      Uint16Array.from(floats, (v) => v * 4095),
      24,
      16,
    ),
  });
});

function bmp(width: number, height: number): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height, 120);
  bytes.fill(0, 0, 54);
  bytes.write("BM", "latin1");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

test("a damaged image is a picture or one sentence", { timeout: 3_600_000 }, async () => {
  await trials("images", 1500, async (random, keep) => {
    const { name, bytes } = pick(random, files);
    const damaged = mutated(random, bytes);
    keep(damaged);
    const seen = await outcome(damaged, name);
    if (seen instanceof LeafError) {
      expect(seen.code).toBe("input");
      expect(seen.message.startsWith(`${name}: `)).toBe(true);
      expect(seen.message).not.toContain("\n");
    } else expect(seen.data.length).toBe(seen.width * seen.height * 3);
  });
});

async function outcome(bytes: Buffer, name: string): Promise<RgbImage | LeafError> {
  try {
    // Small, so that a header that claims much is refused rather than decoded.
    return await within(20, decodeImage(bytes, { name, maxPixels: 4_000_000 }));
  } catch (error) {
    if (error instanceof LeafError) return error;
    throw error;
  }
}
