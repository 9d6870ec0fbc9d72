import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";
import { decodeImage } from "../../src/engine/images/decode.ts";
import { prepare, type StudentInput, views } from "../../src/engine/images/views.ts";
import { resolveInterpreter } from "../../src/engine/python/environment.ts";
import { pythonSnippet } from "../../src/engine/report/pythonSnippet.ts";
import { judgePicture, openStudent } from "../../src/engine/student/student.ts";
import { wideGamuts } from "../support/icc.ts";
import { largestDifference, picture } from "../support/pictures.ts";
import { temporaryFolder } from "./workspace.ts";

const hashes = `
import hashlib
for path in sys.argv[1:]:
    print(windows(path).shape, hashlib.sha256(windows(path).tobytes()).hexdigest())
`;

// The fixtures' crop is 32 and they resize to 48.
test.each([
  [
    "student",
    { resize: 48, views: 5 },
    [
      [48, 48],
      [64, 48],
      [48, 130],
      [301, 48],
    ],
    [],
  ],
  [
    "student-whole",
    { resize: 48, views: "whole" },
    [
      [48, 48],
      [33, 41],
      [64, 48],
      [40, 90],
      [300, 40],
    ],
    [
      [20, 30],
      [200, 150],
    ],
  ],
  [
    "student-whole",
    { resize: null, views: "whole" },
    [
      [48, 48],
      [333, 217],
      [32, 640],
    ],
    [[16, 16]],
  ],
] as const)(
  "the model card's Python sees what %s sees, with %j",
  { timeout: 60_000 },
  async (name, change, exact, resized) => {
    const { dir, remove } = temporaryFolder();
    try {
      cpSync(path.resolve("test/fixtures", name), dir, { recursive: true });
      const card = JSON.parse(readFileSync(path.join(dir, "student.json"), "utf8"));
      Object.assign(card.input, change);
      writeFileSync(path.join(dir, "student.json"), JSON.stringify(card));
      const files = await Promise.all(
        [...exact, ...resized].map(async ([width, height], i) => {
          const file = path.join(dir, `${i}.png`);
          writeFileSync(file, await picture(width, height, i).png().toBuffer());
          return file;
        }),
      );
      const { stdout } = await promisify(execFile)(
        resolveInterpreter(undefined, dir),
        ["-c", pythonSnippet + hashes, ...files],
        { cwd: dir },
      );
      const lines = stdout.trim().split("\n");
      const student = await openStudent(dir);
      for (const [i, file] of files.entries()) {
        const image = await decodeImage(file);
        const seen = views(await prepare(image, card.input as StudentInput), card.input as StudentInput);
        const [, shape, hash] = /^\((.*)\) (\w+)$/.exec(lines[files.length + i]!)!;
        expect(shape).toBe([seen.n, seen.height, seen.width, 3].join(", "));
        const { score } = await judgePicture(student, image);
        const theirs = Number.parseFloat(lines[i]!);
        // To the last bit where nothing is resized; Pillow's Lanczos differs a little.
        if (i < exact.length) {
          expect(hash).toBe(createHash("sha256").update(seen.pixels).digest("hex"));
          expect(theirs).toBe(Number(score.toFixed(4)));
        } else expect(Math.abs(theirs - score)).toBeLessThan(0.05);
      }
      await student.close();
    } finally {
      remove();
    }
  },
);

test("the model card's Python gives the scores of LEAF for wide gamuts and 16 bits", {
  timeout: 60_000,
}, async () => {
  const { dir, remove } = temporaryFolder();
  try {
    cpSync(path.resolve("test/fixtures/student"), dir, { recursive: true });
    const { input } = JSON.parse(readFileSync(path.join(dir, "student.json"), "utf8"));
    const saturated = () => picture(64, 48, 30);
    const withProfile = (profile: Buffer) => {
      const file = path.join(dir, `${profile.length + profile[200]!}.icc`);
      writeFileSync(file, profile);
      return saturated().withIccProfile(file);
    };
    const rgba = sharp(await saturated().ensureAlpha(0.6).raw().toBuffer(), {
      raw: { width: 64, height: 48, channels: 4 },
    });
    const pictures: Record<string, Sharp> = {
      "p3.png": saturated().withIccProfile("p3").png(),
      "p3.jpg": saturated().withIccProfile("p3").jpeg({ quality: 95, chromaSubsampling: "4:4:4" }),
      "p3-alpha.png": rgba.withIccProfile("p3").png(),
      "adobe.png": withProfile(wideGamuts.adobe).png(),
      "prophoto.png": withProfile(wideGamuts.prophoto).png(),
      "cmyk.jpg": saturated().toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: 95 }),
      "grey16.png": saturated().greyscale().toColourspace("grey16").png(),
      "rgb16.png": saturated().toColourspace("rgb16").png(),
    };
    const files: string[] = [];
    for (const [name, made] of Object.entries(pictures)) {
      const file = path.join(dir, name);
      writeFileSync(file, await made.toBuffer());
      files.push(file);
    }
    // The profile that is embedded is the wide one, and it makes a difference.
    expect((await sharp(files[4]!).metadata()).icc?.length).toBe(wideGamuts.prophoto.length);
    const unconverted = await sharp(files[0]!, { ignoreIcc: true }).raw().toBuffer();
    expect(largestDifference(unconverted, (await decodeImage(files[0]!)).data)).toBeGreaterThan(50);
    const dump = "\nfor path in sys.argv[1:]:\n    print(windows(path).tobytes().hex())\n";
    const { stdout } = await promisify(execFile)(
      resolveInterpreter(undefined, dir),
      ["-c", pythonSnippet + dump, ...files],
      { cwd: dir, maxBuffer: 1e8 },
    );
    const lines = stdout.trim().split("\n");
    const student = await openStudent(dir);
    for (const [i, file] of files.entries()) {
      const image = await decodeImage(file);
      const seen = views(await prepare(image, input), input);
      const theirs = Buffer.from(lines[files.length + i]!, "hex");
      const { score } = await judgePicture(student, image);
      expect([path.basename(file), largestDifference(theirs, seen.pixels) <= 1]).toEqual([
        path.basename(file),
        true,
      ]);
      expect(Math.abs(Number.parseFloat(lines[i]!) - score)).toBeLessThan(0.01);
    }
    await student.close();
  } finally {
    remove();
  }
});
