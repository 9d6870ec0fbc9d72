import { randomBytes } from "node:crypto";
import sharp from "sharp";
import { expect, it } from "vitest";
import { hashBytes } from "../../../../src/engine/base/files.ts";
import { createPictures } from "../../../../src/engine/teachers/openai/pictures.ts";

/** An image that counts how often it is read, and fails the first `failures` times. */
async function image(side: number, failures = 0) {
  const raw = { width: side, height: side, channels: 3 as const };
  const bytes = await sharp(randomBytes(side * side * 3), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer();
  let reads = 0;
  return {
    hash: hashBytes(bytes),
    name: "one.png",
    reads: () => reads,
    async read() {
      if (reads++ < failures) throw Object.assign(new Error("EIO"), { code: "EIO" });
      return bytes;
    },
  };
}

it("an image that several want at once, and again, is made once", async () => {
  const { urlOf } = createPictures(null);
  const one = await image(8);
  const [first, second] = await Promise.all([urlOf(one), urlOf(one)]);
  expect(second).toBe(first);
  expect(await urlOf(one)).toBe(first);
  expect(one.reads()).toBe(1);
});

it("what was wanted longest ago is forgotten once the bytes are too many", async () => {
  const { urlOf } = createPictures(null);
  // Each takes about 20 MiB as a data URL: three fit.
  const [a, b, c, d] = [await image(2240), await image(2240), await image(2240), await image(2240)];
  for (const one of [a, b, c, a, d, a, b]) await urlOf(one);
  expect([a, b, c, d].map((one) => one.reads())).toEqual([1, 2, 1, 1]);
});

it("more that is wanted at once than is kept is made all the same", async () => {
  const { urlOf } = createPictures(null);
  const images = await Promise.all([2240, 2240, 2240, 2240, 2240].map((side) => image(side)));
  const urls = await Promise.all(images.map(urlOf));
  expect(urls.every((url) => url.length > 15e6)).toBe(true);
});

it("one that cannot be read says so and is asked for again", async () => {
  const { urlOf } = createPictures(null);
  const one = await image(8, 1);
  await expect(urlOf(one)).rejects.toThrow("one.png");
  await expect(urlOf(one)).resolves.toBeDefined();
});
