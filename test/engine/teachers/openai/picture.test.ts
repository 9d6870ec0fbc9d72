import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../src/engine/base/random.ts";
import { toDataUrl } from "../../../../src/engine/teachers/openai/picture.ts";

const random = seededRandom(1);
/** A noisy picture, so that nothing about it is symmetric. */
function noise(width: number, height: number, channels: 3 | 4 = 3) {
  const data = Buffer.from(
    Array.from({ length: width * height * channels }, () => Math.floor(random() * 256)),
  );
  return sharp(data, { raw: { width, height, channels } });
}

async function sent(bytes: Buffer, maxSide: number | null = 64) {
  const [head, base64] = (await toDataUrl(bytes, maxSide, "a.img")).toString().split(",");
  const picture = Buffer.from(base64!, "base64");
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
  return {
    type: head,
    bytes: picture,
    pixels: data,
    width: info.width,
    height: info.height,
    channels: info.channels,
  };
}

describe("toDataUrl", () => {
  it("sends small JPEG and PNG as they are", async () => {
    for (const format of ["jpeg", "png"] as const) {
      const bytes = await noise(64, 40).toFormat(format).toBuffer();
      const url = await sent(bytes);
      expect(url.type).toBe(`data:image/${format};base64`);
      expect(url.bytes.equals(bytes)).toBe(true);
    }
    const icc = await noise(30, 30).jpeg().withIccProfile("srgb").toBuffer();
    expect((await sent(icc)).bytes.equals(icc)).toBe(true);
    const grey = await noise(30, 30).greyscale().png().toBuffer();
    expect((await sent(grey)).bytes.equals(grey)).toBe(true);
    const progressive = await noise(30, 30).jpeg({ progressive: true }).toBuffer();
    expect((await sent(progressive)).bytes.equals(progressive)).toBe(true);
  });

  it("turns what other formats hold into PNG without loss", async () => {
    const source = noise(50, 30);
    const pixels = await source.clone().raw().toBuffer();
    for (const bytes of [
      await source.clone().webp({ lossless: true }).toBuffer(),
      await source.clone().tiff({ compression: "lzw" }).toBuffer(),
    ]) {
      const url = await sent(bytes);
      expect(url.type).toBe("data:image/png;base64");
      expect(url.pixels.equals(pixels)).toBe(true);
    }
  });

  it("makes upright", async () => {
    for (const orientation of [2, 3, 6, 8]) {
      const bytes = await noise(40, 20).jpeg().withMetadata({ orientation }).toBuffer();
      const url = await sent(bytes);
      const expected = await sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
      expect([url.width, url.height]).toEqual([expected.info.width, expected.info.height]);
      expect(url.pixels.equals(expected.data)).toBe(true);
    }
  });

  it("puts transparency over white, and makes 16-bit and CMYK 8-bit sRGB", async () => {
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: "#00000000" } })
      .png()
      .toBuffer();
    expect([...(await sent(clear)).pixels.subarray(0, 3)]).toEqual([255, 255, 255]);
    const deep = await noise(20, 20).toColourspace("rgb16").png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe("ushort");
    expect((await sharp((await sent(deep)).bytes).metadata()).depth).toBe("uchar");
    const cmyk = await noise(20, 20).toColourspace("cmyk").jpeg().toBuffer();
    expect((await sent(cmyk)).channels).toBe(3);
  });

  it("reduces the long side to maxSide and never enlarges; null leaves the size", async () => {
    const wide = await noise(200, 100).png().toBuffer();
    const url = await sent(wide);
    expect([url.type, url.width, url.height]).toEqual(["data:image/jpeg;base64", 64, 32]);
    const tall = await noise(100, 200).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect(await sent(tall)).toMatchObject({ width: 64, height: 32 });
    expect((await sent(wide, null)).bytes.equals(wide)).toBe(true);
    expect(await sent(await noise(64, 64).webp().toBuffer())).toMatchObject({ width: 64, height: 64 });
  });

  it("refuses what is cut, empty or no image, in plain words", async () => {
    const jpeg = await noise(60, 60).jpeg().toBuffer();
    const png = await noise(60, 60).png().toBuffer();
    await expect(toDataUrl(jpeg.subarray(0, jpeg.length / 2), 64, "a.jpg")).rejects.toMatchObject({
      code: "input",
      message: "a.jpg: the JPEG data is truncated.",
    });
    await expect(toDataUrl(png.subarray(0, png.length - 300), 64, "a.png")).rejects.toMatchObject({
      code: "input",
      message: expect.stringMatching(/^a\.png: the PNG data is truncated/),
    });
    await expect(toDataUrl(Buffer.alloc(0), 64, "e.png")).rejects.toThrow("e.png: the file is empty.");
    await expect(toDataUrl(Buffer.from("hello"), 64, "t.png")).rejects.toThrow("not an image");
  });
});
