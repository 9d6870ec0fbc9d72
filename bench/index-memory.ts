// Indexes many small image files, cold and warm, in a process of its own each: seconds and peak resident memory.
// node bench/index-memory.ts [files=20000]
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { indexDataset, openIndex } from "../src/engine/dataset/dataset.ts";

const limitMB = 200;

if (process.argv[2] === "--scan") {
  const root = process.argv[3]!;
  const indexFile = path.join(root, ".leaf", "cache", "index.sqlite");
  const start = performance.now();
  const used = process.cpuUsage();
  const summary = await indexDataset({ root, images: "photos", indexFile });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  const index = openIndex(indexFile);
  let listed = 0;
  for (const _ of index.iterate()) listed += 1;
  index.close();
  const peakMB = process.resourceUsage().maxRSS / 1024;
  console.log(
    JSON.stringify({ seconds, processorSeconds: (user + system) / 1e6, peakMB, listed, ...summary }),
  );
} else {
  const count = Number(process.argv[2] ?? 20_000);
  const root = mkdtempSync(path.join(os.tmpdir(), "leaf-index-"));
  try {
    await makeFiles(path.join(root, "photos"), count);
    for (const pass of ["cold", "warm"]) {
      const args = [fileURLToPath(import.meta.url), "--scan", root];
      const result = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
      const speed = Math.round(result.files / result.seconds);
      console.log(
        `${pass}: ${result.files} files in ${result.seconds.toFixed(1)} s (${speed}/s), ${result.read} read, ` +
          `${result.images} images, peak ${result.peakMB.toFixed(0)} MB (limit ${limitMB})`,
      );
      if (result.peakMB > limitMB || result.listed !== count) process.exitCode = 1;
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Different files without encoding each: some bytes after a JPEG's end change its hash and nothing else. */
async function makeFiles(dir: string, count: number): Promise<void> {
  const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
  const jpeg = await sharp({ create: { width: 96, height: 64, channels: 3, background: "#777", noise } })
    .jpeg()
    .toBuffer();
  for (let i = 0; i < count; i++) {
    const folder = path.join(dir, `folder-${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `image-${i}.jpg`), Buffer.concat([jpeg, Buffer.from(String(i))]));
  }
}
