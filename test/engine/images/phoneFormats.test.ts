import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage, probeImage } from "../../../src/engine/images/decode.ts";
import { meanDifference } from "../../support/pictures.ts";

// The first 48 × 32 pixels' worth of demo/photos/china.jpg, made small by Pillow and written by pillow-heif 1 and pillow-jxl-plugin: see their README.
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
    // A saturated green: in P3 (100, 200, 80) is less red than as sRGB; by the matrices of both spaces about (49, 203, 64).
    const { data } = await decodeImage(fixture("p3.heic"));
    const [r, g, b] = [data[0]!, data[1]!, data[2]!];
    expect(Math.abs(r - 48)).toBeLessThan(8);
    expect(Math.abs(g - 203)).toBeLessThan(6);
    expect(Math.abs(b - 61)).toBeLessThan(10);
  });

  it.each(["photo.heic", "photo.jxl"])("a cut %s is told as damaged", async (name) => {
    const bytes = fixture(name);
    await expect(decodeImage(bytes.subarray(0, bytes.length / 2), { name })).rejects.toThrow(
      /truncated or corrupt/,
    );
  });
});
