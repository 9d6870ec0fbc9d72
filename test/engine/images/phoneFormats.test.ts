import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage, probeImage } from "../../../src/engine/images/decode.ts";
import { meanDifference } from "../../support/pictures.ts";

// demo/photos/china.jpg, made small by Pillow and written by pillow-heif and pillow-jxl-plugin: see their README.
const fixture = (name: string) => readFileSync(`test/fixtures/formats/${name}`);
const reference = () => sharp(fixture("photo.png")).removeAlpha().raw().toBuffer();

describe("formats of phones", () => {
  it.each([
    ["photo.heic", "heic"],
    ["photo.jxl", "jxl"],
  ])("%s is the picture that was written", async (name, format) => {
    expect(await probeImage(fixture(name))).toEqual({ format, width: 48, height: 32 });
    const { width, height, data } = await decodeImage(fixture(name));
    expect([width, height]).toEqual([48, 32]);
    expect(meanDifference(data, await reference())).toBeLessThan(6);
  });

  it("HEIC is turned upright", async () => {
    const { width, height, data } = await decodeImage(fixture("turned.heic"));
    expect([width, height]).toEqual([32, 48]);
    const turned = await sharp(await reference(), { raw: { width: 48, height: 32, channels: 3 } })
      .rotate(90)
      .raw()
      .toBuffer();
    expect(meanDifference(data, turned)).toBeLessThan(6);
  });

  it("HEIC in Display P3 becomes sRGB", async () => {
    // (100, 200, 80) in P3 by the matrices of CSS Color 4: (44.9, 202.9, 56.5) in sRGB. Unconverted it would stay as it is.
    const { data } = await decodeImage(fixture("p3.heic"));
    const [r, g, b] = [data[0]!, data[1]!, data[2]!];
    expect(Math.abs(r - 44.9)).toBeLessThan(3);
    expect(Math.abs(g - 202.9)).toBeLessThan(3);
    expect(Math.abs(b - 56.5)).toBeLessThan(3);
  });

  it.each(["photo.heic", "photo.jxl"])("a cut %s is told as damaged", async (name) => {
    const bytes = fixture(name);
    await expect(decodeImage(bytes.subarray(0, bytes.length / 2), { name })).rejects.toThrow(
      /truncated or corrupt/,
    );
  });
});
