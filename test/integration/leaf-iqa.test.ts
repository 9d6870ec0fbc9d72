import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { preparedImage } from "../../src/engine/images/prepared.ts";
import { mostNativeWhole, type StudentInput, views } from "../../src/engine/images/views.ts";
import { resolveInterpreter } from "../../src/engine/python/environment.ts";
import { reportedScore } from "../../src/engine/student/scale.ts";
import { judgePrepared, openStudent } from "../../src/engine/student/student.ts";
import { picture } from "../support/pictures.ts";
import { temporaryFolder } from "./workspace.ts";

const run = promisify(execFile);
const python = resolveInterpreter(undefined, path.resolve("."));
const { dir, remove } = temporaryFolder();
const installed = path.join(dir, "installed");
let wheel = "";

/** Without a network: the build takes the setuptools that are there, and nothing that the wheel needs is installed. */
beforeAll(async () => {
  const source = path.join(dir, "source");
  cpSync("src/python/iqa", source, { recursive: true });
  const build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])";
  await run(python, ["-c", build, dir], { cwd: source });
  wheel = path.join(dir, readdirSync(dir).find((name) => name.endsWith(".whl"))!);
  const options = ["--quiet", "--no-deps", "--no-index", "--target", installed, wheel];
  const hasPip = await run(python, ["-m", "pip", "--version"]).then(
    () => true,
    () => false,
  );
  if (hasPip) await run(python, ["-m", "pip", "install", ...options]);
  else await run("uv", ["pip", "install", "--python", python, ...options]);
});
afterAll(remove);

/** What Python prints, by the installed package alone, far from the repository. */
async function leafIqa<T>(code: string, ...args: string[]): Promise<T> {
  const script = `import json, sys\nsys.path.insert(0, ${JSON.stringify(installed)})\nimport leaf_iqa\n${code}`;
  const { stdout } = await run(python, ["-I", "-c", script, ...args], { cwd: dir, maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as T;
}

const bytesAndScores = `
import base64
from leaf_iqa.picture import picture
from leaf_iqa.views import windows
student = leaf_iqa.load(sys.argv[1], threads=1)
def seen(file):
    return base64.b64encode(windows(picture(file, card=student.card), student.card).tobytes()).decode()
print(json.dumps([[seen(f), one.score, one.distance] for f, one in zip(sys.argv[2:], student.judge(sys.argv[2:]))]))
`;

/** A folder of a fixture's student that sees pictures so. */
function studentOf(fixture: string, change: Record<string, unknown>, mosScale: unknown = null): string {
  const folder = path.join(dir, `${fixture}-${readdirSync(dir).length}`);
  cpSync(path.resolve("test/fixtures", fixture), folder, { recursive: true });
  const file = path.join(folder, "student.json");
  const card = JSON.parse(readFileSync(file, "utf8"));
  Object.assign(card.input, change);
  writeFileSync(file, JSON.stringify({ ...card, mosScale }));
  return folder;
}

async function differences(folder: string, files: string[]) {
  const theirs = await leafIqa<[string, number, number | null][]>(bytesAndScores, folder, ...files);
  const student = await openStudent(folder);
  const input = student.card.input as StudentInput;
  const found = [];
  for (const [i, file] of files.entries()) {
    const prepared = await preparedImage({ path: file, hash: null }, input);
    const mine = views(prepared, input).pixels;
    const judged = await judgePrepared(student, prepared);
    const [encoded, score, distance] = theirs[i]!;
    const seen = Buffer.from(encoded, "base64");
    expect(seen.length, file).toBe(mine.length);
    let pixels = 0;
    for (let at = 0; at < mine.length; at++) pixels = Math.max(pixels, Math.abs(seen[at]! - mine[at]!));
    const scores = Math.abs(score - reportedScore(student.card, judged.score));
    const distances = Math.abs((distance ?? 0) - (judged.distance ?? 0));
    found.push({ file: path.basename(file), pixels, score: scores, distance: distances });
  }
  await student.close();
  return found;
}

async function write(name: string, image: Sharp): Promise<string> {
  const file = path.join(dir, name);
  writeFileSync(file, await image.toBuffer());
  return file;
}

/** A real photo, and the two-way gradient of the decoder's tests. */
const photo = (width = 150, height = 110) =>
  sharp(path.resolve("demo/photos/coffee.jpg")).extract({ left: 60, top: 40, width, height });
const halfClear = () => photo().ensureAlpha(0.5);

const equal: Record<string, () => Sharp> = {
  "grey.png": () => photo().greyscale().png(),
  "alpha.png": () => halfClear().png(),
  "palette.png": () => photo().png({ palette: true }),
  "interlaced.png": () => photo().png({ progressive: true }),
  "16-bit.png": () => photo().toColourspace("rgb16").png(),
  "grey-16.png": () => photo().toColourspace("grey16").png(),
  "lossless.webp": () => photo().webp({ lossless: true }),
  "lossless.tiff": () => photo().tiff({ compression: "lzw" }),
  "frame.gif": () => photo().gif(),
  "444.jpg": () => photo().jpeg({ quality: 90, chromaSubsampling: "4:4:4" }),
  "420.jpg": () => photo().jpeg({ quality: 80 }),
  "progressive.jpg": () => photo().jpeg({ quality: 80, progressive: true }),
  "grey.jpg": () => photo().greyscale().jpeg(),
  "turned.jpg": () => photo(120, 90).withMetadata({ orientation: 6 }).jpeg(),
  "mirrored.png": () => photo(120, 90).withMetadata({ orientation: 7 }).png(),
  "gradient.png": () => picture(48, 32).png(),
};
const near: Record<string, () => Sharp> = {
  "lossy.webp": () => photo().webp({ quality: 80 }),
  "lossy.avif": () => photo().avif({ quality: 60 }),
  "p3.png": () => photo().withIccProfile("p3").png(),
  "srgb.jpg": () => photo().withIccProfile("srgb").jpeg(),
  "p3-alpha.png": () => halfClear().withIccProfile("p3").png(),
};

test("sees the engine's pixels and gives its scores for files of every format", async () => {
  const folder = studentOf("student-whole", { resize: 48, views: "whole" });
  const made = await Promise.all(Object.entries(equal).map(([name, make]) => write(name, make())));
  const exact = await differences(folder, made);
  expect(exact.filter(({ pixels, score }) => pixels > 0 || score > 1e-6)).toEqual([]);
  const other = await differences(
    folder,
    await Promise.all(Object.entries(near).map(([name, make]) => write(name, make()))),
  );
  expect(other.filter(({ pixels, score }) => pixels > 2 || score > 0.001)).toEqual([]);
});

// The fixtures' crop is 32.
test.each([
  ["student", { resize: 48, views: 5 }],
  ["student", { resize: null, views: 1 }],
  ["student-whole", { resize: 48, views: "whole" }],
  ["student-whole", { resize: null, views: "whole" }],
] as const)("sees the engine's pixels of any size: %s, %j", async (fixture, change) => {
  const sizes = [
    [48, 48],
    [33, 41],
    [200, 150],
    [20, 30],
    [16, 16],
    [301, 48],
    [40, 900],
    [31, 77],
    [640, 431],
    // Above the size at which a whole picture is scored at most.
    ...(change.resize === null && change.views === "whole" ? ([[1700, 1201]] as const) : []),
  ] as const;
  const files = await Promise.all(
    sizes.map(([width, height], i) => write(`size-${i}.png`, picture(width, height, i).png())),
  );
  const scale = { range: [0, 100], lowerIsBetter: true };
  const found = await differences(studentOf(fixture, change, scale), files);
  expect(found.filter(({ pixels }) => pixels > 0)).toEqual([]);
  // Of 0 to 100.
  expect(Math.max(...found.map(({ score }) => score))).toBeLessThan(2e-5);
  expect(Math.max(...found.map(({ distance }) => distance))).toBeLessThan(1e-5);
});

test("decodes JPEGs at a part of their size as the engine does", async () => {
  const files: string[] = [];
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const wide = photo().resize(603, 401, { fit: "fill" }).withMetadata({ orientation });
    const chromaSubsampling = orientation % 2 ? "4:2:0" : "4:4:4";
    const jpeg = wide.jpeg({ chromaSubsampling, progressive: orientation > 6 });
    files.push(await write(`scaled-${orientation}.jpg`, jpeg));
  }
  files.push(await write("scaled-grey.jpg", photo().resize(397, 701).greyscale().jpeg()));
  files.push(await write("scaled-high.jpg", photo().resize(397, 701).jpeg()));
  for (const [fixture, input] of [
    ["student-whole", { resize: 48, views: "whole" }],
    ["student", { resize: 40, views: 5 }],
  ] as const) {
    const folder = studentOf(fixture, { ...input, decode: "scaled" });
    const found = await differences(folder, files);
    expect(found.filter(({ pixels, score }) => pixels > 0 || score > 1e-6)).toEqual([]);
  }
});

test("imports no PyTorch and none of the trainer's modules; version and the one constant are LEAF's", async () => {
  const told = await leafIqa<{ modules: string[]; version: string; most: number; telemetry: string }>(`
import os
from leaf_iqa.views import most_native_whole
modules = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"modules": modules, "version": leaf_iqa.__version__, "most": most_native_whole, "telemetry": os.environ["ORT_DISABLE_TELEMETRY"]}))
`);
  expect(told.modules).toContain("onnxruntime");
  expect(
    told.modules.filter((name) =>
      ["torch", "leaf", "transformers", "torchmetrics", "fiftyone"].includes(name),
    ),
  ).toEqual([]);
  expect(told.most).toBe(mostNativeWhole);
  expect(told.telemetry).toBe("1");
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  expect([told.version, path.basename(wheel)]).toEqual([version, `leaf_iqa-${version}-py3-none-any.whl`]);
  expect(readdirSync(path.join(installed, "leaf_iqa"))).toContain("py.typed");
});
