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

/** Files of JPEGs of this size: photos of the demo, brought to it, with the noise of a camera. */
export async function jpegs(count: number, width: number, height: number): Promise<string[]> {
  const folder = await once(`${width}x${height}-${count}`, async (to) => {
    mkdirSync(to);
    const names = readdirSync(photos).filter((name) => name.endsWith(".jpg"));
    for (let i = 0; i < count; i++) {
      const noise = { width, height, channels: 3 as const, background: "#000" };
      const grain = await sharp({ create: { ...noise, noise: { type: "gaussian", mean: 128, sigma: 6 } } })
        .png({ compressionLevel: 0 })
        .toBuffer();
      await sharp(path.join(photos, names[i % names.length]!))
        .resize(width, height, { fit: "cover" })
        .toColourspace("srgb")
        .composite([{ input: grain, blend: "soft-light" }])
        .flatten()
        .jpeg({ quality: 90 })
        .toFile(path.join(to, `${i}.jpg`));
    }
  });
  return readdirSync(folder).map((name) => path.join(folder, name));
}
