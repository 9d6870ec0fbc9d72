import { crc32 } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { expect, it } from "vitest";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import { pixelBytes } from "../../../src/engine/images/limits.ts";
import { preparedBytes, preparedInOnePass, scaleOfJpeg } from "../../../src/engine/images/prepared.ts";
import { geometry, prepare, type StudentInput } from "../../../src/engine/images/views.ts";
import { meanDifference } from "../../support/pictures.ts";

/** Noise, so that no two ways of scaling agree by chance. */
function noise(width: number, height: number, channels: 1 | 3 | 4) {
  const data = Buffer.alloc(width * height * channels);
  for (let i = 0; i < data.length; i++) data[i] = (i * 2654435761) >>> 24;
  return sharp(data, { raw: { width, height, channels } });
}

const side = fc.integer({ min: 1, max: 160 });
const anyInput: fc.Arbitrary<StudentInput> = fc
  .record({
    crop: fc.integer({ min: 16, max: 40 }),
    more: fc.option(fc.integer({ min: 0, max: 40 })),
    views: fc.constantFrom("whole" as const, 1 as const, 5 as const),
  })
  .map(({ crop, more, views }) => ({ crop, resize: more === null ? null : crop + more, views }));

it("in one pass it is bit for bit the picture of the decoded pixels", async () => {
  const kind = fc.constantFrom("jpeg", "progressive", "4:4:4", "grey", "P3", "png", "alpha");
  await fc.assert(
    fc.asyncProperty(
      side,
      side,
      fc.integer({ min: 1, max: 8 }),
      kind,
      anyInput,
      async (w, h, orientation, kind, input) => {
        const source = noise(w, h, kind === "grey" ? 1 : kind === "alpha" ? 4 : 3);
        const bytes = await (kind === "png" || kind === "alpha"
          ? source.png()
          : (kind === "P3" ? source.withIccProfile("p3") : source)
              .toColourspace(kind === "grey" ? "b-w" : "srgb")
              .withMetadata({ orientation })
              .jpeg({
                quality: 80,
                progressive: kind === "progressive",
                chromaSubsampling: kind === "4:4:4" ? "4:4:4" : "4:2:0",
              })
        ).toBuffer();
        const expected = await prepare(await decodeImage(bytes), input);
        const found = await preparedInOnePass(bytes, input, {});
        expect(found && { ...found, data: Buffer.from(found.data) }).toEqual({
          ...expected,
          data: Buffer.from(expected.data),
        });
      },
    ),
    { numRuns: 60 },
  );
});

it("a JPEG is decoded at the least part that is twice what is needed", () => {
  const needed = { width: 200, height: 100 };
  const at = (times: number) => scaleOfJpeg({ width: 200 * times, height: 100 * times }, needed);
  expect([1, 3.99, 4, 7.99, 8, 15.99, 16, 99].map(at)).toEqual([1, 1, 2, 2, 4, 4, 8, 8]);
  expect(scaleOfJpeg({ width: 400, height: 1600 }, needed)).toBe(1);
});

it("scaled while it is decoded, it is of the same size, the same way up, and nearly the same", async () => {
  const input: StudentInput = { resize: 48, crop: 32, views: "whole" };
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const bytes = await sharp("demo/photos/coffee.jpg").withMetadata({ orientation }).jpeg().toBuffer();
    const full = await prepare(await decodeImage(bytes), input);
    const scaled = await preparedBytes(bytes, { ...input, decode: "scaled" });
    expect(scaled).toMatchObject(geometry(full.width, full.height, input).cached);
    const apart = meanDifference(scaled.data, full.data);
    expect(apart).toBeGreaterThan(0);
    expect(apart).toBeLessThan(1);
  }
});

it("what is no JPEG, or hardly larger than needed, or a panorama is decoded whole", async () => {
  const input: StudentInput = { resize: 48, crop: 32, views: "whole" };
  for (const made of [noise(400, 300, 3).png(), noise(100, 90, 3).jpeg(), noise(2400, 210, 3).jpeg()]) {
    const bytes = await made.toBuffer();
    const full = await prepare(await decodeImage(bytes), input);
    const scaled = await preparedBytes(bytes, { ...input, decode: "scaled" });
    expect(Buffer.compare(scaled.data, full.data)).toBe(0);
  }
});

it("forty PNGs of 100 megapixels wait for one another", async () => {
  const png = await noise(40, 30, 3).png().toBuffer();
  // The header alone says how large it is: what follows is cut, so that nothing is decoded.
  png.writeUInt32BE(10_000, 16);
  png.writeUInt32BE(10_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  const input: StudentInput = { resize: 48, crop: 32, views: "whole" };
  const all = Array.from({ length: 40 }, () => preparedBytes(png, input));
  for (const one of await Promise.allSettled(all)) expect(one.status).toBe("rejected");
  // Whole, one takes 300 MB of at most 512 MiB.
  expect(pixelBytes.most()).toBeGreaterThanOrEqual(300e6);
  expect(pixelBytes.most()).toBeLessThanOrEqual(512 * 2 ** 20);
  expect(pixelBytes.held()).toBe(0);
});
