import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { openProject } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../src/engine/dataset/check.ts";
import { decodeImage, probeImage, UndecodableImage } from "../../../src/engine/images/decode.ts";
import { lookOf, lookSide } from "../../../src/engine/images/look.ts";
import { toDataUrl } from "../../../src/engine/teachers/openai/picture.ts";
import { largestDifference, picture, temporaryFolder } from "../../support/pictures.ts";
import { rawFiles, tiffFile } from "../../support/raw.ts";

const [width, height] = [60, 40];
const large = await picture(width, height, 1).jpeg({ quality: 90 }).toBuffer();
const middle = await picture(30, 20, 2).jpeg().toBuffer();
const kinds = Object.entries(rawFiles);

async function upright(turned: number): Promise<Buffer> {
  const source = await sharp(large).withMetadata({ orientation: turned }).jpeg({ quality: 100 }).toBuffer();
  expect((await sharp(source).metadata()).orientation).toBe(turned);
  const flipped = sharp(await sharp(large).raw().toBuffer(), { raw: { width, height, channels: 3 } });
  return (turned === 6 ? flipped.rotate(90) : turned === 3 ? flipped.rotate(180) : flipped).raw().toBuffer();
}

describe("camera raw", () => {
  it.each(kinds)("%s is its largest preview, upright", async (name, make) => {
    for (const turned of name === "raf" ? [1] : [1, 3, 6]) {
      const file = make(large, middle, turned);
      const size = turned === 6 ? { width: height, height: width } : { width, height };
      expect(await probeImage(file)).toEqual({ format: "raw", ...size });
      const image = await decodeImage(file);
      expect([image.width, image.height]).toEqual([size.width, size.height]);
      expect(largestDifference(image.data, await upright(turned))).toBe(0);
      expect(image.note).toBe(
        `its preview, by which it is judged, has only ${size.width} x ${size.height} pixels`,
      );
    }
  });

  it("what the preview itself says of its orientation counts", async () => {
    const turned = await sharp(large).withMetadata({ orientation: 6 }).jpeg({ quality: 90 }).toBuffer();
    const { width: w, height: h } = await decodeImage(rawFiles.nef!(turned, middle, 1));
    expect([w, h]).toEqual([height, width]);
  });

  it.each(kinds)("a cut %s gives one sentence, and never its thumbnail", async (name, make) => {
    const file = make(large, middle, 6);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: file.length - 1 }), async (length) => {
        const image = await decodeImage(file.subarray(0, length), { name: "x" }).catch(
          (error: unknown) => error,
        );
        if (image instanceof Error) {
          expect(image).toBeInstanceOf(UndecodableImage);
          expect(image.message).toMatch(/^x: [^.\n]+\.$/);
        } else if (name !== "raf" && name !== "cr3")
          expect([(image as { width: number }).width]).toEqual([height]);
      }),
      { numRuns: 40 },
    );
  });

  it("damaged directories end the walk", async () => {
    const file = rawFiles.dng!(large, middle, 6);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        async (changes) => {
          const bad = Buffer.from(file);
          for (const [at, byte] of changes) bad[at] = byte;
          await decodeImage(bad, { name: "x" }).catch((error: unknown) =>
            expect(error).toBeInstanceOf(UndecodableImage),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("without a preview it says what to do", async () => {
    const none = tiffFile([
      [
        [50706, "byte", [1, 4, 0, 0]],
        [262, "short", [34892]],
      ],
    ]);
    await expect(decodeImage(none, { name: "x.dng" })).rejects.toThrow(
      "x.dng: the camera raw file has no JPEG preview; export it as TIFF or JPEG.",
    );
  });

  it("a TIFF with a thumbnail behind it is no raw file", async () => {
    const plain = await picture(width, height).tiff({ pyramid: true, tile: true }).toBuffer();
    expect((await probeImage(plain)).format).toBe("tiff");
  });

  it("goes the same way to a teacher, and to the search for near duplicates", async () => {
    const file = rawFiles.dng!(large, middle, 1);
    const url = (await toDataUrl(file, null, "x.dng")).toString();
    const sent = await sharp(Buffer.from(url.split(",")[1]!, "base64"))
      .raw()
      .toBuffer();
    expect(largestDifference(sent, await upright(1))).toBe(0);
    const [own, other] = [await lookOf(file), await lookOf(large)];
    expect(own.length).toBe(lookSide ** 2);
    expect(largestDifference(own, other)).toBeLessThanOrEqual(1);
  });

  it("is found in folders, checked, and a name without an ending means the JPEG beside it", async () => {
    const root = temporaryFolder();
    mkdirSync(path.join(root, "photos"));
    const put = (name: string, bytes: Buffer) => writeFileSync(path.join(root, "photos", name), bytes);
    put("a.NEF", rawFiles.nef!(large, middle, 6));
    put("a.jpg", await picture(64, 48, 7).jpeg().toBuffer());
    // Longer than the beginning that is read first.
    put("b.cr3", rawFiles.cr3!(large, Buffer.concat([middle, Buffer.alloc(200_000)]), 1));
    put("c.dng", rawFiles.dng!(large, middle, 1).subarray(0, -300));
    writeFileSync(path.join(root, "mos.csv"), "image,mos\na,3\n");
    writeFileSync(path.join(root, "leaf.yaml"), "images: photos\nmos: { file: mos.csv, range: [1, 5] }\n");
    const project = await openProject(path.join(root, "leaf.yaml"));
    const check = await checkProject(project, {});
    expect(check.images).toBe(3);
    expect(check.reading[0]).toBe("Formats: 2 camera raw (by the preview inside), 1 JPEG.");
    expect(check.problems.join("\n")).toContain("photos/c.dng: the camera raw file is truncated");
    expect(check.problems.join("\n")).toContain(
      "photos/a.NEF: its preview, by which it is judged, has only 40 x 60 pixels",
    );
    const catalog = await openCatalog(project);
    expect(catalog.summary).toMatchObject({ failed: 1 });
    expect([...catalog.mos!.keys()].map((hash) => catalog.relativePathOf(hash))).toEqual(["photos/a.jpg"]);
    catalog.close();
  });
});
