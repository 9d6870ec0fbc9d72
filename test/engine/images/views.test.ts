import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import {
  geometry,
  mostViewPixels,
  prepare,
  type StudentInput,
  viewPlaces,
  views,
} from "../../../src/engine/images/views.ts";
import { gradient, largestDifference } from "../../support/pictures.ts";

const image = (width: number, height: number) => ({
  width,
  height,
  data: new Uint8Array(gradient(width, height)),
});
const input = (resize: number | null, crop: number, count: StudentInput["views"] = 1): StudentInput => ({
  resize,
  crop,
  views: count,
});

describe("geometry", () => {
  it("follows the contract on known sizes", () => {
    expect(geometry(4000, 3000, input(384, 224)).cached).toEqual({ width: 512, height: 384 });
    expect(geometry(3000, 300, input(384, 224))).toEqual({
      scaled: { width: 3840, height: 384 },
      cached: { width: 768, height: 384 },
    });
    expect(geometry(100, 50, input(384, 224)).cached).toEqual({ width: 768, height: 384 });
    expect(geometry(640, 480, input(null, 224)).scaled).toEqual({ width: 640, height: 480 });
    expect(geometry(2000, 1500, input(null, 224)).cached).toEqual({ width: 896, height: 896 });
    expect(geometry(100, 50, input(null, 224)).cached).toEqual({ width: 448, height: 224 });
  });

  it("is never smaller than the crop nor larger than the limit", () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 16, max: 512 }),
        fc.option(fc.integer({ min: 0, max: 512 })),
        (w, h, crop, more) => {
          const resize = more === null ? null : crop + more;
          const { cached, scaled } = geometry(w, h, input(resize, crop));
          const limit = 2 * (resize ?? 2 * crop);
          expect(Math.min(cached.width, cached.height)).toBeGreaterThanOrEqual(crop);
          expect(Math.max(cached.width, cached.height)).toBeLessThanOrEqual(limit);
          if (resize !== null) expect(Math.min(scaled.width, scaled.height)).toBe(resize);
        },
      ),
    );
  });
});

describe("geometry of whole pictures", () => {
  const whole = (resize: number | null, crop = 224) => input(resize, crop, "whole");

  it("brings large pictures down, leaves the others, and enlarges only to the crop", () => {
    expect(geometry(4000, 3000, whole(384)).cached).toEqual({ width: 512, height: 384 });
    expect(geometry(400, 300, whole(384)).cached).toEqual({ width: 400, height: 300 });
    expect(geometry(100, 50, whole(384)).cached).toEqual({ width: 448, height: 224 });
    expect(geometry(4000, 300, whole(384)).cached).toEqual({ width: 768, height: 300 });
  });

  it("bounds the native resolution", () => {
    expect(geometry(640, 480, whole(null)).cached).toEqual({ width: 640, height: 480 });
    expect(geometry(4000, 3000, whole(null)).cached).toEqual({ width: 1365, height: 1024 });
    expect(geometry(20_000, 2000, whole(null)).cached).toEqual({ width: 2048, height: 1024 });
  });

  it("keeps to its bounds, and shows all of what is no panorama", () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 16, max: 512 }),
        fc.option(fc.nat(512)),
        (w, h, crop, more) => {
          const resize = more === null ? null : crop + more;
          const asked = whole(resize, crop);
          const { cached, scaled } = geometry(w, h, asked);
          expect(Math.min(cached.width, cached.height)).toBeGreaterThanOrEqual(crop);
          expect(cached.width * cached.height).toBeLessThanOrEqual(mostViewPixels(asked));
          if (Math.min(w, h) >= crop) expect(scaled.width).toBeLessThanOrEqual(w);
          const [place, ...others] = viewPlaces(w, h, asked);
          expect(others).toEqual([]);
          if (Math.max(w, h) < 2 * Math.min(w, h) - 1)
            for (const [found, wanted] of [
              [place!.x, 0],
              [place!.y, 0],
              [place!.width, w],
              [place!.height, h],
            ] as const)
              expect(Math.abs(found - wanted)).toBeLessThan(1e-6 * Math.max(w, h));
        },
      ),
    );
  });
});

describe("prepare", () => {
  it("leaves a picture of the right size as it is", async () => {
    const source = image(40, 30);
    expect(await prepare(source, input(null, 16))).toEqual(source);
    expect(await prepare(source, input(30, 16))).toEqual(source);
  });

  it("cuts the centre of a native picture", async () => {
    const cut = await prepare(image(101, 90), input(null, 16));
    expect([cut.width, cut.height]).toEqual([64, 64]);
    const source = image(101, 90);
    expect([...cut.data.subarray(0, 3)]).toEqual([
      ...source.data.subarray((13 * 101 + 18) * 3, (13 * 101 + 18) * 3 + 3),
    ]);
  });

  it("resizes as sharp's Lanczos 3 does", async () => {
    const source = image(90, 60);
    const expected = await sharp(source.data, { raw: { width: 90, height: 60, channels: 3 } })
      .resize({ width: 48, height: 32, fit: "fill", kernel: "lanczos3" })
      .raw()
      .toBuffer();
    const resized = await prepare(source, input(32, 16));
    expect([resized.width, resized.height]).toEqual([48, 32]);
    expect(largestDifference(resized.data, expected)).toBe(0);
  });

  it("survives a strip one pixel high", async () => {
    const strip = await prepare(image(50_000, 1), input(384, 224));
    expect([strip.width, strip.height]).toEqual([768, 384]);
    const middle = strip.data[(100 * 768 + 384) * 3]!;
    expect(Math.abs(middle - 127)).toBeLessThan(3);
  });

  it("decodes bytes", async () => {
    const bytes = await sharp(gradient(40, 30), { raw: { width: 40, height: 30, channels: 3 } })
      .png()
      .toBuffer();
    expect((await prepare(bytes, input(null, 16))).data).toHaveLength(40 * 30 * 3);
  });
});

describe("views", () => {
  it("gives the centre and the four corners in order", () => {
    const source = image(21, 20);
    const { pixels: all, ...size } = views(source, input(null, 16, 5));
    expect(size).toEqual({ n: 5, height: 16, width: 16 });
    expect(all).toHaveLength(5 * 16 * 16 * 3);
    const pixel = (x: number, y: number) => [...source.data.subarray((y * 21 + x) * 3, (y * 21 + x) * 3 + 3)];
    const starts = [0, 1, 2, 3, 4].map((i) => [...all.subarray(i * 768, i * 768 + 3)]);
    expect(starts).toEqual([pixel(2, 2), pixel(0, 0), pixel(5, 0), pixel(0, 4), pixel(5, 4)]);
    const ends = [0, 1, 2, 3, 4].map((i) => [...all.subarray((i + 1) * 768 - 3, (i + 1) * 768)]);
    expect(ends).toEqual([pixel(17, 17), pixel(15, 15), pixel(20, 15), pixel(15, 19), pixel(20, 19)]);
    expect(views(source, input(null, 16)).pixels).toEqual(all.subarray(0, 768));
  });

  it("gives the whole picture as it is", () => {
    const source = image(21, 20);
    expect(views(source, input(null, 16, "whole"))).toEqual({
      pixels: source.data,
      n: 1,
      height: 20,
      width: 21,
    });
  });

  it("refuses a picture smaller than the crop", () => {
    expect(() => views(image(15, 20), input(null, 16))).toThrow(RangeError);
  });
});
