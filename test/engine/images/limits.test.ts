import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../src/engine/dataset/check.ts";
import { updateIndex } from "../../../src/engine/dataset/index/update.ts";
import { decodedSize } from "../../../src/engine/images/decode.ts";
import { pixelBytes } from "../../../src/engine/images/limits.ts";
import { writeTensorCache } from "../../../src/engine/images/tensorCache.ts";
import { openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import { createEmbeddedTeacher } from "../../../src/engine/teachers/embedded/teacher.ts";
import { toDataUrl } from "../../../src/engine/teachers/openai/picture.ts";
import { imageMessage } from "../../../src/engine/teachers/transformers/pixels.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

async function world() {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  const put = async (name: string, width: number, height: number, negative = false) => {
    const file = path.join(root, "photos", name);
    const bytes = await picture(width, height, width).negate(negative).png().toBuffer();
    writeFileSync(file, bytes);
    return { path: file, hash: hashBytes(bytes), bytes };
  };
  // Unlike one another, or they would be near duplicates.
  const files = { small: await put("small.png", 100, 90, true), large: await put("large.png", 200, 100) };
  const configFile = path.join(root, "leaf.yaml");
  const project = (more = "") => {
    writeFileSync(configFile, `images: photos\n${more}`);
    return openProject(configFile);
  };
  return { root, files, project };
}

it("what decoding refuses, check tells beforehand, and another limit takes no new look at the files", async () => {
  const { root, files, project } = await world();
  expect(await checkProject(await project(), {})).toMatchObject({ images: 2, unreadable: 0, problems: [] });
  const limited = await project("maxMegapixels: 0.015\n");
  const told = "photos/large.png: too many pixels: 200 x 100, more than 0.015 megapixels (`maxMegapixels`)";
  expect(await checkProject(limited, {})).toMatchObject({ images: 1, unreadable: 1, problems: [told] });
  const catalog = await openCatalog(limited);
  expect(catalog.hashes).toEqual([files.small.hash]);
  expect(catalog.summary).toMatchObject({ read: 0, failed: 1 });
  catalog.close();
  const { indexFile } = limited;
  await updateIndex({ root, images: "photos", indexFile, maxPixels: 5000 }, { changed: [], removed: [] });
  const none = await openCatalog(limited, { trustIndex: true });
  expect(none.hashes).toEqual([]);
  none.close();
  const again = await openCatalog(await project());
  expect(again.hashes.length).toBe(2);
  expect(again.summary).toMatchObject({ read: 0, failed: 0 });
  again.close();
});

it("every decoder keeps to it", async () => {
  const { root, files, project } = await world();
  const { large, small } = files;
  const maxPixels = 15_000;
  const refused = "large.png: too many pixels: 200 x 100, more than 0.015 megapixels (`maxMegapixels`).";
  const student = await openStudent(path.resolve("test/fixtures/student"));
  const scored: string[] = [];
  for await (const one of scoreImages(student, [large, small], { maxPixels }))
    scored.push("reason" in one ? one.reason : "scored");
  expect(scored).toEqual([refused, "scored"]);
  await student.close();
  const { failed } = await writeTensorCache(
    path.join(root, "cache"),
    [large, small],
    { resize: 48, crop: 32, views: 1 },
    { maxPixels },
  );
  // Not lasting: another limit, and it is of use.
  expect(failed).toMatchObject([{ reason: refused, lasting: false }]);
  const image = { ...large, name: "large.png", read: async () => large.bytes };
  const teacher = await createEmbeddedTeacher({ maxPixels });
  expect(await teacher.judgePoints([image])).toEqual([{ ok: false, reason: refused }]);
  await teacher.close();
  expect(await imageMessage(image, 64, maxPixels)).toMatchObject({ type: "unreadable", reason: refused });
  await expect(toDataUrl(large.bytes, 64, "large.png", maxPixels)).rejects.toThrow(refused);
  await expect(project("maxMegapixels: 0\n")).rejects.toThrow(/maxMegapixels/);
});

it("lets a photo of 200 megapixels pass by default, and no more than 268", async () => {
  const { root, project } = await world();
  let held = 0;
  const jpeg = await picture(16, 16).jpeg().toBuffer();
  const frame = jpeg.indexOf("\xff\xc0", 0, "latin1");
  const put = (name: string, width: number, height: number) => {
    jpeg.writeUInt16BE(height, frame + 5);
    jpeg.writeUInt16BE(width, frame + 7);
    writeFileSync(path.join(root, "photos", name), jpeg);
  };
  put("phone.jpg", 16_320, 12_240);
  // It is reckoned with by its header, line by line as libvips decodes it, and nothing is decoded beside it.
  const bytes = await decodedSize(jpeg);
  expect(bytes).toBe(16_320 * 12_240 * 3);
  const others = [bytes, bytes, 3e6].map((size) =>
    pixelBytes.run(size, async () => {
      held = Math.max(held, pixelBytes.held());
      await setTimeout(5);
    }),
  );
  await Promise.all(others);
  expect(held).toBe(bytes);
  put("poster.jpg", 20_000, 13_500);
  const { images, problems } = await checkProject(await project(), { quick: true });
  expect(images).toBe(3);
  expect(problems).toEqual([
    "photos/poster.jpg: too many pixels: 20000 x 13500, more than 268 megapixels (`maxMegapixels`)",
    "photos/phone.jpg: 200 megapixels take 599 MB of memory while they are decoded",
  ]);
});
