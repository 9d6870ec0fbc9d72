import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { decodeImage } from "../../src/engine/images/decode.ts";
import { prepare, type StudentInput, views } from "../../src/engine/images/views.ts";
import { resolveInterpreter } from "../../src/engine/python/environment.ts";
import { pythonSnippet } from "../../src/engine/report/pythonSnippet.ts";
import { judgePicture, openStudent } from "../../src/engine/student/student.ts";
import { picture } from "../support/pictures.ts";
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
