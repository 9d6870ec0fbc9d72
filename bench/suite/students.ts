import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { hashBytes } from "../../src/engine/base/files.ts";
import { writeTensorCache } from "../../src/engine/images/tensorCache.ts";
import { readStudentFiles } from "../../src/engine/student/file.ts";
import { python } from "./python.ts";

/** What several works need, made once: students and photos. */
let shared: string | undefined;
const made = new Map<string, Promise<string>>();

function once(name: string, make: (folder: string) => Promise<void> | void): Promise<string> {
  shared ??= temporary();
  const folder = path.join(shared, name);
  const known = made.get(name) ?? Promise.resolve(make(folder)).then(() => folder);
  made.set(name, known);
  return known;
}

function temporary(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "leaf-bench-shared-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type Family = "atto" | "lite0" | "base";

/** Folder of an exported student with its first weights, and `network.pt` for PyTorch. */
export function studentOf(family: Family): Promise<string> {
  return once(family, (folder) => {
    execFileSync(python(), ["bench/suite/peers/make_student.py", family, folder], {
      env: { ...process.env, PYTHONPATH: "src/python" },
      stdio: ["ignore", "ignore", "pipe"],
    });
  });
}

/** The same in 8-bit integers. What it loses is not asked: its head is not trained. */
export async function int8Of(family: Family): Promise<string> {
  const from = await studentOf(family);
  const images = await jpegs(16, 1200, 900);
  return once(`${family}-int8`, async (to) => {
    const { input } = (await readStudentFiles(from)).card;
    const cache = path.join(to, "cache");
    await writeTensorCache(
      cache,
      images.map((file) => ({ path: file, hash: hashBytes(readFileSync(file)) })),
      input,
    );
    const files = [path.join(from, "student.onnx"), path.join(to, "student.onnx"), cache];
    execFileSync(python(), ["-m", "leaf.quantize", ...files, String(input.crop), String(input.views)], {
      env: { ...process.env, PYTHONPATH: "src/python" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    copyFileSync(path.join(from, "student.json"), path.join(to, "student.json"));
  });
}

const photos = "demo/photos";

const distinct = 8;

/** A photo of the demo, brought to this size, with noise as of a camera: it makes a JPEG as large as a real one. */
async function takePhoto(from: string, width: number, height: number, to: string): Promise<void> {
  const { data, info } = await sharp(from)
    .resize(width, height, { fit: "cover" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  let state = 1;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[at] = Math.max(0, Math.min(255, data[at]! + ((state >>> 24) % 17) - 8));
  }
  await sharp(data, { raw: { width, height, channels: info.channels } })
    .jpeg({ quality: 90 })
    .toFile(to);
}

/** Files of JPEGs of this size. */
export async function jpegs(count: number, width: number, height: number): Promise<string[]> {
  const folder = await once(`${width}x${height}-${count}`, async (to) => {
    mkdirSync(to);
    const names = readdirSync(photos).filter((name) => name.endsWith(".jpg"));
    for (let i = 0; i < count; i++) {
      const file = path.join(to, `${i}.jpg`);
      if (i < distinct) await takePhoto(path.join(photos, names[i % names.length]!), width, height, file);
      else copyFileSync(path.join(to, `${i % distinct}.jpg`), file);
    }
  });
  return readdirSync(folder).map((name) => path.join(folder, name));
}
