import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../src/engine/dataset/check.ts";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import { writeTensorCache } from "../../../src/engine/images/tensorCache.ts";
import { scorePaths } from "../../../src/engine/scoring/score.ts";
import { createEmbeddedTeacher } from "../../../src/engine/teachers/embedded/teacher.ts";
import { toDataUrl } from "../../../src/engine/teachers/openai/picture.ts";
import type { Text } from "../../../src/protocol/text.ts";
import { inEnglish, render } from "../../../src/words/text.ts";
import { gradient, largestDifference, temporaryFolder } from "../../support/pictures.ts";
import { pseudo, untranslated } from "../../support/pseudoLocale.ts";
import { tiff } from "../../support/tiff.ts";

function noise(width = 120, height = 80) {
  const background = "#777";
  return sharp({
    create: { width, height, channels: 3, background, noise: { type: "gaussian", mean: 128, sigma: 40 } },
  });
}

/** undefined where it decodes. */
async function failureOf(bytes: Buffer): Promise<string | undefined> {
  return decodeImage(bytes, { name: "x" }).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

describe("a JPEG without its end marker", () => {
  const kinds = {
    baseline: () => noise().jpeg({ quality: 90 }),
    progressive: () => noise().jpeg({ quality: 90, progressive: true }),
    grey: () => noise().greyscale().jpeg(),
    optimised: () => noise().jpeg({ mozjpeg: true }),
  };
  for (const [name, make] of Object.entries(kinds))
    it(`decodes as with it, and says so (${name})`, async () => {
      // Of one in fifteen the decoder needs no byte behind its data, and misses nothing.
      for (let i = 0; i < 40; i++) {
        const whole = await make().toBuffer();
        const expected = await decodeImage(whole);
        expect(expected.note).toBeUndefined();
        for (const missing of [1, 2]) {
          const image = await decodeImage(whole.subarray(0, -missing));
          expect(largestDifference(image.data, expected.data)).toBe(0);
          expect(image.note).toBe("it has no end marker, but its data is whole");
        }
      }
    });

  for (const [name, make] of Object.entries(kinds))
    it(`is refused where any of its data is missing (${name})`, async () => {
      const whole = await make().toBuffer();
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 4, max: whole.length - 3 }), async (length) => {
          expect(await failureOf(whole.subarray(0, length))).toMatch(/truncated|corrupt|not an image/);
        }),
        { numRuns: 60, examples: [[whole.length - 3], [whole.length - 4], [whole.length - 10]] },
      );
    });

  it("is refused between two scans of a progressive one, and where the rest is zeros", async () => {
    const whole = await noise().jpeg({ progressive: true }).toBuffer();
    const scans: number[] = [];
    for (
      let at = whole.indexOf("\xff\xda", 0, "latin1");
      at >= 0;
      at = whole.indexOf("\xff\xda", at + 2, "latin1")
    )
      scans.push(at);
    expect(scans.length).toBeGreaterThan(4);
    for (const at of scans.slice(1)) {
      // The tables of a scan stand before it.
      const tables = whole.lastIndexOf("\xff\xc4", at, "latin1");
      for (const length of [at, tables])
        expect(await failureOf(whole.subarray(0, length))).toMatch(/truncated/);
    }
    const baseline = await noise().jpeg().toBuffer();
    const half = Buffer.from(baseline).fill(0, baseline.length >> 1);
    expect(await failureOf(half)).toMatch(/truncated/);
  });

  it("is told from a cut one also while others are decoded", async () => {
    // libvips keeps what it complains of in one place for all threads.
    const whole = await noise().jpeg().toBuffer();
    const kinds = [whole.subarray(0, -2), whole.subarray(0, 3000), whole];
    const png = (await noise().png().toBuffer()).subarray(0, 5000);
    const seen = await Promise.all(
      Array.from({ length: 120 }, async (_, i) => {
        await Promise.all([failureOf(png), failureOf(Buffer.from(whole).fill(9, 700, 900))]);
        const image = await decodeImage(kinds[i % 3]!, { name: "x" }).catch((error: Error) => error.message);
        return typeof image === "string" ? image : (image.note ?? "");
      }),
    );
    const expected = ["it has no end marker, but its data is whole", "x: the JPEG data is truncated.", ""];
    expect(seen).toEqual(seen.map((_, i) => expected[i % 3]));
  });

  it("is used with a warning in every door alike", async () => {
    const root = temporaryFolder();
    mkdirSync(path.join(root, "photos"));
    const whole = await noise(300, 200).jpeg().toBuffer();
    const put = (name: string, bytes: Buffer) => {
      const file = path.join(root, "photos", name);
      writeFileSync(file, bytes);
      return { path: file, hash: hashBytes(bytes) };
    };
    const unended = put("unended.jpg", whole.subarray(0, -2));
    const cut = put("cut.jpg", whole.subarray(0, whole.length / 2));
    const appended = put("appended.jpg", Buffer.concat([whole, Buffer.alloc(500, "film")]));
    const png = await noise(30, 20).png().toBuffer();
    const unendedPng = put("unended.png", png.subarray(0, -12));
    put("cut.png", png.subarray(0, -30));
    writeFileSync(path.join(root, "leaf.yaml"), "images: photos\n");
    const project = await openProject(path.join(root, "leaf.yaml"));

    const [warnings, inAnother]: string[][] = [[], []];
    const onWarning = (message: Text) => {
      warnings!.push(inEnglish(message));
      inAnother!.push(render(message, pseudo));
    };
    const catalog = await openCatalog(project, { onWarning });
    catalog.close();
    expect(inAnother!.flatMap((line) => untranslated(line))).toEqual([]);
    const suspected = ["cut.jpg", "cut.png", "unended.jpg", "unended.png"];
    expect(warnings).toEqual(
      suspected.map((name) => `photos/${name}: it has no end marker; it is used if its data is whole`),
    );
    const check = await checkProject(project, {});
    expect(check.problems.slice(0, 3)).toEqual([
      expect.stringMatching(/^photos\/cut\.jpg: the JPEG data is truncated/),
      expect.stringMatching(/^photos\/cut\.png: the PNG data is truncated/),
      "photos/unended.jpg: it has no end marker, but its data is whole",
    ]);
    expect(check.unreadable).toBe(2);
    expect(check.problems.filter((line) => line.includes("appended"))).toEqual([]);
    expect((await checkProject(project, { quick: true })).problems).toEqual(warnings);

    const student = path.resolve("test/fixtures/student");
    const scored = await scorePaths([unended.path, cut.path, appended.path], { student });
    expect(scored.scores.map(({ image }) => path.basename(image))).toEqual(["unended.jpg", "appended.jpg"]);
    expect(scored.scores[0]!.score).toBe(scored.scores[1]!.score);
    expect(scored.notes).toEqual([
      { image: unended.path, note: "it has no end marker, but its data is whole" },
    ]);
    expect(scored.failed.map(({ image }) => path.basename(image))).toEqual(["cut.jpg"]);
    const cache = await writeTensorCache(path.join(root, "cache"), [unended, cut, unendedPng], {
      resize: 48,
      crop: 32,
      views: 1,
    });
    expect(cache.failed).toMatchObject([{ path: cut.path, lasting: true }]);
    const teacher = await createEmbeddedTeacher();
    const seen = (bytes: Buffer) => ({ hash: hashBytes(bytes), name: "a.jpg", read: async () => bytes });
    const [point, refused] = await teacher.judgePoints([
      seen(whole.subarray(0, -2)),
      seen(whole.subarray(0, 2000)),
    ]);
    expect([point!.ok, refused!.ok]).toEqual([true, false]);
    await teacher.close();
    const url = (await toDataUrl(whole.subarray(0, -2), null, "a.jpg")).toString();
    const sent = await sharp(Buffer.from(url.split(",")[1]!, "base64"))
      .raw()
      .toBuffer();
    expect(largestDifference(sent, (await decodeImage(whole)).data)).toBe(0);
    await expect(toDataUrl(whole.subarray(0, 2000), null, "a.jpg")).rejects.toThrow(/truncated/);
  });
});

describe("a JPEG that ends within the picture, but with an end marker", () => {
  it("is used as ever, and told", async () => {
    const whole = await noise().jpeg().toBuffer();
    const short = Buffer.concat([whole.subarray(0, whole.length * 0.7), whole.subarray(-2)]);
    expect((await decodeImage(short)).note).toBe("its data ends early: a part of the picture may be missing");
  });
});

describe("TIFF of other than 8 bits", () => {
  const [width, height] = [30, 20];
  const rgb = Uint8Array.from(gradient(width, height));
  const grey = rgb.filter((_, i) => i % 3 === 0);
  const greyRgb = Uint8Array.from({ length: grey.length * 3 }, (_, i) => grey[Math.floor(i / 3)]!);
  const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : rgb[Math.floor(i / 4) * 3 + (i % 4)]!,
  );
  const decoded = async (bytes: Buffer) => decodeImage(bytes, { name: "x.tif" });

  it("is read by the range of its values", async () => {
    const cases: [string, Buffer, Uint8Array, number][] = [
      [
        "float 0..1",
        tiff(
          Float32Array.from(grey, (v) => v / 255),
          width,
          height,
        ),
        greyRgb,
        0,
      ],
      [
        "float 0..1 rgb",
        tiff(
          Float32Array.from(rgb, (v) => v / 255),
          width,
          height,
        ),
        rgb,
        0,
      ],
      [
        "float 0..1 rgba",
        tiff(
          Float32Array.from(rgba, (v) => v / 255),
          width,
          height,
          { alpha: true },
        ),
        rgb,
        0,
      ],
      [
        "float with overshoot",
        tiff(
          Float32Array.from(grey, (v) => (v - 12) / 231),
          width,
          height,
        ),
        greyRgb,
        14,
      ],
      ["float 0..255", tiff(Float32Array.from(rgb), width, height), rgb, 0],
      [
        "16 bits",
        tiff(
          Uint16Array.from(rgb, (v) => v * 257),
          width,
          height,
        ),
        rgb,
        0,
      ],
      [
        "16 bits with alpha",
        tiff(
          Uint16Array.from(rgba, (v) => v * 257),
          width,
          height,
          { alpha: true },
        ),
        rgb,
        0,
      ],
      ["32 bits 0..255", tiff(Uint32Array.from(grey), width, height), greyRgb, 0],
      [
        "signed 32 bits 0..65535",
        tiff(
          Int32Array.from(grey, (v) => v * 257),
          width,
          height,
        ),
        greyRgb,
        0,
      ],
    ];
    for (const [name, bytes, expected, most] of cases) {
      const image = await decoded(bytes);
      expect([name, largestDifference(image.data, expected) <= most, image.note]).toEqual([
        name,
        true,
        undefined,
      ]);
    }
  });

  it("tells what it assumed of 16 bits that are not filled", async () => {
    const cases: [Buffer, string][] = [
      [tiff(Uint16Array.from(rgb), width, height), "its 16-bit values end at 255: they are read as 8 bits"],
      [
        tiff(
          Uint16Array.from(rgb, (v) => v * 16),
          width,
          height,
        ),
        "its 16-bit values end at 4080: they are read as 12 bits",
      ],
    ];
    for (const [bytes, note] of cases) {
      const image = await decoded(bytes);
      expect(largestDifference(image.data, rgb)).toBeLessThanOrEqual(1);
      expect(image.note).toBe(note);
    }
    expect((await decoded(tiff(new Uint16Array(width * height), width, height))).note).toBeUndefined();
  });

  it("is refused where the range is not known", async () => {
    const odd: [string, Buffer][] = [
      [
        "dark floats",
        tiff(
          Float32Array.from(grey, (v) => v / 50),
          width,
          height,
        ),
      ],
      [
        "large floats",
        tiff(
          Float32Array.from(grey, (v) => v * 9),
          width,
          height,
        ),
      ],
      [
        "negative floats",
        tiff(
          Float32Array.from(grey, (v) => v - 128),
          width,
          height,
        ),
      ],
      [
        "NaN",
        tiff(
          Float32Array.from(grey, (v) => (v === 70 ? Number.NaN : v / 255)),
          width,
          height,
        ),
      ],
      [
        "infinity",
        tiff(
          Float32Array.from(grey, (v, i) => (i === 9 ? Number.POSITIVE_INFINITY : v / 255)),
          width,
          height,
        ),
      ],
      [
        "negative",
        tiff(
          Int16Array.from(grey, (v) => v - 128),
          width,
          height,
        ),
      ],
      [
        "beyond 16 bits",
        tiff(
          Uint32Array.from(grey, (v) => v * 1e6),
          width,
          height,
        ),
      ],
      [
        "half floats",
        tiff(
          Uint16Array.from(grey, (v) => v + 0x3000),
          width,
          height,
          { float: true },
        ),
      ],
      [
        "doubles",
        tiff(
          Float64Array.from(grey, (v) => v / 255),
          width,
          height,
        ),
      ],
    ];
    for (const [name, bytes] of odd) {
      const error = await decoded(bytes).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect([name, (error as { code?: string } | undefined)?.code]).toEqual([name, "input"]);
      expect(String(error)).toMatch(/x\.tif: .*(no numbers|not known|not supported|corrupt)/);
    }
  });

  it("goes to a server as it is judged here", async () => {
    const url = (
      await toDataUrl(
        tiff(
          Float32Array.from(rgb, (v) => v / 255),
          width,
          height,
        ),
        null,
        "a.tif",
      )
    ).toString();
    const sent = await sharp(Buffer.from(url.split(",")[1]!, "base64"))
      .raw()
      .toBuffer();
    expect(largestDifference(sent, rgb)).toBe(0);
  });
});
