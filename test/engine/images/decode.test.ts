import { writeFileSync } from "node:fs";
import path from "node:path";
import { encode } from "fast-bmp";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { decodeImage, probeImage } from "../../../src/engine/images/decode.ts";
import { sniffFormat } from "../../../src/engine/images/format.ts";
import { quickSize } from "../../../src/engine/images/header.ts";
import {
  gradient,
  largestDifference,
  meanDifference,
  picture,
  temporaryFolder,
} from "../../support/pictures.ts";

const rgb = gradient(48, 32);
const failure = async (bytes: Buffer | string, maxPixels?: number): Promise<LeafError> => {
  const error = await decodeImage(bytes, { maxPixels, name: "x.img" }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LeafError);
  expect((error as LeafError).code).toBe("input");
  return error as LeafError;
};

describe("formats", () => {
  const lossless = {
    png: () => picture().png(),
    webp: () => picture().webp({ lossless: true }),
    avif: () => picture().avif({ lossless: true }),
    tiff: () => picture().tiff({ compression: "lzw" }),
    "16-bit png": () => picture().toColourspace("rgb16").png(),
    "16-bit tiff": () => picture().toColourspace("rgb16").tiff({ compression: "deflate" }),
  };
  for (const [name, make] of Object.entries(lossless))
    it(`decodes ${name} exactly`, async () => {
      const image = await decodeImage(await make().toBuffer());
      expect([image.width, image.height]).toEqual([48, 32]);
      expect(largestDifference(image.data, rgb)).toBe(0);
    });

  const lossy = {
    jpeg: () => picture().jpeg({ quality: 95, chromaSubsampling: "4:4:4" }),
    "progressive jpeg": () => picture().jpeg({ quality: 95, progressive: true, chromaSubsampling: "4:4:4" }),
    webp: () => picture().webp({ quality: 95 }),
    avif: () => picture().avif({ quality: 90 }),
    gif: () => picture().gif(),
  };
  for (const [name, make] of Object.entries(lossy))
    it(`decodes ${name} closely`, async () => {
      const image = await decodeImage(await make().toBuffer());
      expect(image.data).toHaveLength(48 * 32 * 3);
      expect(meanDifference(image.data, rgb)).toBeLessThan(8);
    });

  it("turns grey into three equal channels", async () => {
    for (const make of [picture().greyscale().png(), picture().toColourspace("grey16").png()]) {
      const { data } = await decodeImage(await make.toBuffer());
      expect(data).toHaveLength(48 * 32 * 3);
      for (let i = 0; i < data.length; i += 3)
        expect(data[i] === data[i + 1] && data[i] === data[i + 2]).toBe(true);
    }
  });

  it("lays transparency over white", async () => {
    const half = picture(8, 8).ensureAlpha(0.5);
    const { data } = await decodeImage(await half.png().toBuffer());
    const source = gradient(8, 8);
    const expected = Uint8Array.from(source, (value) => Math.round(value * 0.5 + 255 * 0.5));
    expect(largestDifference(data, expected)).toBeLessThanOrEqual(2);
    const clear = await decodeImage(await picture(8, 8).greyscale().ensureAlpha(0).png().toBuffer());
    expect(clear.data.every((value) => value === 255)).toBe(true);
  });

  it("converts CMYK JPEG to RGB", async () => {
    const flat = sharp({ create: { width: 16, height: 16, channels: 3, background: "#c83c28" } });
    const bytes = await flat.toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    const { data } = await decodeImage(bytes);
    expect(data).toHaveLength(16 * 16 * 3);
    // Out and back through a press profile: near, not equal.
    expect(Math.abs(data[0]! - 0xc8)).toBeLessThan(30);
    expect(Math.abs(data[1]! - 0x3c)).toBeLessThan(30);
    expect(Math.abs(data[2]! - 0x28)).toBeLessThan(30);
  });

  it("converts an embedded profile to sRGB", async () => {
    const bytes = await picture().withIccProfile("p3").png().toBuffer();
    // The stored numbers are P3 and differ from sRGB; decoding brings them back.
    const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    expect(largestDifference(stored, rgb)).toBeGreaterThan(10);
    expect(meanDifference((await decodeImage(bytes)).data, rgb)).toBeLessThan(3);
  });

  it("takes the first frame of an animation", async () => {
    const frames = Buffer.concat([Buffer.alloc(16 * 16 * 3, 200), Buffer.alloc(16 * 16 * 3, 20)]);
    const raw = { width: 16, height: 32, channels: 3, pageHeight: 16 } as const;
    for (const bytes of [
      await sharp(frames, { raw }).gif().toBuffer(),
      await sharp(frames, { raw }).webp().toBuffer(),
    ]) {
      const image = await decodeImage(bytes);
      expect([image.width, image.height]).toEqual([16, 16]);
      expect(Math.abs(image.data[0]! - 200)).toBeLessThan(6);
    }
  });
});

describe("EXIF orientation", () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8])
    it(`applies ${orientation}`, async () => {
      const bytes = await picture().withMetadata({ orientation }).tiff({ compression: "lzw" }).toBuffer();
      const jpeg = await picture().withMetadata({ orientation }).jpeg().toBuffer();
      const { width, height, data } = await decodeImage(bytes);
      const turned = orientation >= 5;
      expect([width, height]).toEqual(turned ? [32, 48] : [48, 32]);
      expect(await probeImage(jpeg)).toEqual({ format: "jpeg", width, height });
      // The picture's own top left pixel (red 0, green 0) goes to the corner the EXIF standard names.
      const corner = {
        1: [0, 0],
        2: [width - 1, 0],
        3: [width - 1, height - 1],
        4: [0, height - 1],
        5: [0, 0],
        6: [width - 1, 0],
        7: [width - 1, height - 1],
        8: [0, height - 1],
      }[orientation] as [number, number];
      const at = (corner[1] * width + corner[0]) * 3;
      expect([data[at], data[at + 1]]).toEqual([0, 0]);
    });
});

describe("headers", () => {
  it("reads sizes as sharp does", async () => {
    const files = [
      await picture(33, 20).jpeg().toBuffer(),
      await picture(33, 20).jpeg({ progressive: true }).withIccProfile("p3").toBuffer(),
      await picture(33, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      await picture(33, 20).png({ progressive: true }).toBuffer(),
      await picture(33, 20).withMetadata({ orientation: 8 }).png().toBuffer(),
      await picture(33, 20).webp().toBuffer(),
      await picture(33, 20).tiff().toBuffer(),
      await picture(33, 20).gif().toBuffer(),
      await picture(33, 20).avif().toBuffer(),
    ];
    for (const bytes of files) {
      const { autoOrient } = await sharp(bytes).metadata();
      expect(await probeImage(bytes)).toMatchObject(autoOrient);
      const quick = quickSize(bytes);
      if (quick) expect(quick).toEqual(autoOrient);
    }
    expect(quickSize(files[0]!)).toBeDefined();
    expect(quickSize(files[2]!)).toEqual({ width: 20, height: 33 });
    expect(quickSize(files[3]!)).toBeDefined();
  });

  it("recognises formats by their bytes", () => {
    expect(sniffFormat(Buffer.from("hello"))).toBeUndefined();
    expect(sniffFormat(Buffer.alloc(0))).toBeUndefined();
    const ftyp = (brand: string, ...more: string[]) =>
      Buffer.concat([
        Buffer.from([0, 0, 0, 16 + 4 * more.length]),
        Buffer.from(`ftyp${brand}\0\0\0\0${more.join("")}`),
      ]);
    expect(sniffFormat(ftyp("avif", "mif1"))).toBe("avif");
    expect(sniffFormat(ftyp("mif1", "avif"))).toBe("avif");
    expect(sniffFormat(ftyp("heic", "mif1"))).toBe("heic");
    expect(sniffFormat(ftyp("isom"))).toBeUndefined();
  });

  it("says that HEIC without a picture is damaged", async () => {
    const bytes = Buffer.concat([
      Buffer.from([0, 0, 0, 20]),
      Buffer.from("ftypheic\0\0\0\0mif1"),
      Buffer.alloc(64),
    ]);
    expect((await failure(bytes)).message).toContain("the HEIC data is truncated or corrupt");
  });
});

describe("files that are no image", () => {
  it("refuses empty files, text and SVG", async () => {
    expect((await failure(Buffer.alloc(0))).message).toBe("x.img: the file is empty.");
    for (const text of [
      "hello",
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "\0\0\0\0",
    ])
      expect((await failure(Buffer.from(text))).message).toBe("x.img: not an image of a known format.");
  });

  for (const format of ["jpeg", "png", "webp", "avif", "tiff", "gif"] as const)
    it(`refuses a truncated ${format}`, async () => {
      const noise = sharp({
        create: {
          width: 200,
          height: 200,
          channels: 3,
          background: "#777",
          noise: { type: "gaussian", mean: 128, sigma: 40 },
        },
      });
      const bytes = await noise.toFormat(format).toBuffer();
      for (const share of [0.1, 0.5, 0.9])
        expect((await failure(bytes.subarray(0, Math.floor(bytes.length * share)))).message).toMatch(
          /truncated|corrupt/,
        );
      expect((await failure(bytes.subarray(0, 14))).message).toMatch(/truncated|corrupt|not an image/);
    });

  it("refuses corrupt PNG data", async () => {
    const bytes = await picture().png().toBuffer();
    bytes.fill(0xa5, bytes.length - 60, bytes.length - 20);
    expect((await failure(bytes)).message).toMatch(/corrupt/);
  });

  it("names the file and the folder it is missing from", async () => {
    const file = path.join(temporaryFolder(), "gone.jpg");
    await expect(decodeImage(file)).rejects.toThrow(/gone\.jpg: it does not exist/);
  });

  it("refuses a decompression bomb before decoding it", async () => {
    const bomb = await sharp({
      create: { width: 17_000, height: 17_000, channels: 3, background: "#000" },
      limitInputPixels: false,
    })
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(2e6);
    const start = performance.now();
    expect((await failure(bomb)).message).toBe(
      "x.img: too many pixels: 17000 x 17000, more than 268 megapixels (`maxMegapixels`).",
    );
    expect(performance.now() - start).toBeLessThan(1000);
    const header = Buffer.alloc(200);
    header.write("BM");
    header.writeUInt32LE(54, 10);
    header.writeUInt32LE(40, 14);
    header.writeInt32LE(100_000, 18);
    header.writeInt32LE(-100_000, 22);
    header.writeUInt16LE(24, 28);
    expect((await failure(header)).message).toMatch(/too many pixels: 100000 x 100000/);
    expect((await failure(await picture().png().toBuffer(), 1000)).message).toMatch(/too many pixels/);
  });
});

describe("renamed files", () => {
  it("decodes by content", async () => {
    const file = path.join(temporaryFolder(), "photo.png");
    writeFileSync(file, await picture().jpeg({ quality: 95 }).toBuffer());
    expect(meanDifference((await decodeImage(file)).data, rgb)).toBeLessThan(8);
  });
});

/** A hand-made BMP with a 40-byte header (12-byte for `core`). `rows` are stored as given, padded to 4 bytes. */
function bmp(
  width: number,
  height: number,
  bits: number,
  rows: number[][],
  extra: { palette?: number[]; compression?: number; core?: boolean } = {},
): Buffer {
  const headerSize = extra.core ? 12 : 40;
  const palette = Buffer.from(extra.palette ?? []);
  const header = Buffer.alloc(14 + headerSize);
  header.write("BM");
  header.writeUInt32LE(header.length + palette.length, 10);
  header.writeUInt32LE(headerSize, 14);
  if (extra.core) {
    header.writeUInt16LE(width, 18);
    header.writeUInt16LE(height, 20);
    header.writeUInt16LE(1, 22);
    header.writeUInt16LE(bits, 24);
  } else {
    header.writeInt32LE(width, 18);
    header.writeInt32LE(height, 22);
    header.writeUInt16LE(1, 26);
    header.writeUInt16LE(bits, 28);
    header.writeUInt32LE(extra.compression ?? 0, 30);
    header.writeUInt32LE(bits <= 8 ? palette.length / 4 : 0, 46);
  }
  const padded = rows.map((row) =>
    Buffer.concat([Buffer.from(row), Buffer.alloc((4 - (row.length % 4)) % 4)]),
  );
  return Buffer.concat([header, palette, ...padded]);
}

describe("BMP", () => {
  // Top row red, green; bottom row blue, white.
  const want = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
  const top = [0, 0, 255, 0, 255, 0];
  const bottom = [255, 0, 0, 255, 255, 255];
  const palette = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0];
  const withPad = (row: number[]) => [...row.slice(0, 3), 77, ...row.slice(3), 77];
  const pixels = async (bytes: Buffer) => [...(await decodeImage(bytes)).data];

  it("decodes 24 bits, bottom-up, top-down and with the OS/2 header", async () => {
    expect(await pixels(bmp(2, 2, 24, [bottom, top]))).toEqual(want);
    expect(await pixels(bmp(2, -2, 24, [top, bottom]))).toEqual(want);
    expect(await pixels(bmp(2, 2, 24, [bottom, top], { core: true }))).toEqual(want);
  });

  it("takes the fourth byte of plain 32-bit pixels for padding", async () => {
    expect(await pixels(bmp(2, 2, 32, [withPad(bottom), withPad(top)]))).toEqual(want);
    expect(await pixels(bmp(2, -2, 32, [withPad(top), withPad(bottom)]))).toEqual(want);
  });

  it("applies the palette of 1 and 8-bit files", async () => {
    expect(
      await pixels(
        bmp(
          2,
          2,
          8,
          [
            [2, 3],
            [0, 1],
          ],
          { palette },
        ),
      ),
    ).toEqual(want);
    expect(
      await pixels(
        bmp(
          2,
          -2,
          8,
          [
            [0, 1],
            [2, 3],
          ],
          { palette },
        ),
      ),
    ).toEqual(want);
    const two = palette.slice(0, 8);
    expect(await pixels(bmp(2, 1, 1, [[0b01000000]], { palette: two }))).toEqual([255, 0, 0, 0, 255, 0]);
    expect((await failure(bmp(2, 1, 8, [[0, 9]], { palette }))).message).toMatch(/outside the palette/);
  });

  it("agrees with fast-bmp's encoder, alpha over white included", async () => {
    const data = new Uint8Array(gradient(13, 7));
    const file = Buffer.from(
      encode({ width: 13, height: 7, bitsPerPixel: 24, channels: 3, components: 3, data }),
    );
    expect(largestDifference((await decodeImage(file)).data, data)).toBe(0);
    const rgba = new Uint8Array(13 * 7 * 4).fill(100);
    for (let i = 3; i < rgba.length; i += 4) rgba[i] = i % 8 === 3 ? 0 : 255;
    const clear = Buffer.from(
      encode({
        width: 13,
        height: 7,
        bitsPerPixel: 32,
        channels: 4,
        components: 3,
        compression: 3,
        data: rgba,
      }),
    );
    const flat = (await decodeImage(clear)).data;
    expect([...flat.subarray(0, 6)]).toEqual([255, 255, 255, 100, 100, 100]);
  });

  it("says what it cannot do", async () => {
    expect((await failure(bmp(2, 2, 4, [[0], [0]], { palette: Array(64).fill(0) }))).message).toMatch(
      /4 bits a pixel/,
    );
    expect((await failure(bmp(2, 1, 16, [[0, 0, 0, 0]]))).message).toMatch(/16 bits a pixel/);
    expect((await failure(bmp(2, 2, 8, [[0, 1]], { palette, compression: 1 }))).message).toMatch(
      /run-length/,
    );
    expect((await failure(bmp(9, 9, 24, [top]))).message).toMatch(/truncated/);
    expect((await failure(bmp(2, 2, 24, [top]).subarray(0, 20))).message).toMatch(/header is truncated/);
    expect((await failure(bmp(0, 2, 24, [top]))).message).toMatch(/empty picture/);
  });
});
