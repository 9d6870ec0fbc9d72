// What finding near duplicates takes: node bench/twins.ts [IMAGES]: 100,000 synthetic looks by default, one in ten a version of another.
// And what it finds, on versions of the demo's photos: node bench/twins.ts versions [FOLDER OF PHOTOS]
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import sharp from "sharp";
import { seededRandom } from "../src/engine/base/random.ts";
import { openForScan } from "../src/engine/dataset/index/file.ts";
import { alike } from "../src/engine/dataset/twins/alike.ts";
import { candidates } from "../src/engine/dataset/twins/candidates.ts";
import { signatureOf, windows, words } from "../src/engine/dataset/twins/signature.ts";
import { findTwins } from "../src/engine/dataset/twins/twins.ts";
import { lookOf, lookSide } from "../src/engine/images/look.ts";

const near = 0.95;
/**
 * A random picture with structure at four scales, the coarse ones the strongest. Its falling off is chosen so that as many pairs of
 * hashes are near by chance as among 1,519 photos: 14 of a million. Sums of a few waves, which stood here before, are near four times
 * as often: they measured comparisons that photos do not need.
 */
function syntheticLook(random: () => number): Uint8Array {
  const out = new Float64Array(lookSide ** 2).fill(128);
  for (let cells = 2, size = 60; cells <= 16; cells *= 2, size *= 0.3) {
    const across = cells + 1;
    const grid = Float64Array.from(
      { length: across ** 2 },
      () => 2 * size * (random() + random() + random() - 1.5),
    );
    for (let j = 0; j < lookSide; j++) {
      const top = Math.floor((j / lookSide) * cells);
      const down = (j / lookSide) * cells - top;
      for (let i = 0; i < lookSide; i++) {
        const left = Math.floor((i / lookSide) * cells);
        const right = (i / lookSide) * cells - left;
        const at = top * across + left;
        const upper = grid[at]! + (grid[at + 1]! - grid[at]!) * right;
        const lower = grid[at + across]! + (grid[at + across + 1]! - grid[at + across]!) * right;
        out[j * lookSide + i]! += upper + (lower - upper) * down;
      }
    }
  }
  return Uint8Array.from(out, (value) => Math.max(0, Math.min(255, value)));
}

async function scale(n: number): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "leaf-twins-"));
  const indexFile = path.join(folder, "index.sqlite");
  openForScan(indexFile).close();
  const db = new DatabaseSync(indexFile);
  const random = seededRandom("twins");
  const file = db.prepare(
    "INSERT INTO files (path, size, mtimeMs, hash, seen, name, stem) VALUES (?, 1, 0, ?, 1, ?, ?)",
  );
  const put = db.prepare(
    "INSERT INTO looks (hash, version, look, signature, compared) VALUES (?, 1, ?, ?, 0)",
  );
  let last: Uint8Array | undefined;
  db.exec("BEGIN");
  for (let i = 0; i < n; i++) {
    const look = i % 10 === 9 && last ? last.map((v) => v + (random() < 0.5 ? 0 : 2)) : syntheticLook(random);
    last = look;
    const hash = i.toString(16).padStart(32, "0");
    const signature = signatureOf(look);
    file.run(`${i}.jpg`, hash, `${i}.jpg`, `${i}`);
    put.run(hash, look, signature ? new Uint8Array(signature.buffer) : null);
  }
  db.exec("COMMIT");
  db.close();
  const sample = Array.from({ length: 1000 }, () => syntheticLook(random));
  const signing = process.cpuUsage();
  for (const look of sample) signatureOf(look);
  const each = process.cpuUsage(signing).user / 1000 / sample.length;
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 50);
  // Time of the processor: a machine that does other things as well shows the same.
  const start = process.cpuUsage();
  const pairs = await findTwins({ root: folder, indexFile, maxPixels: 1e9 });
  const used = process.cpuUsage(start);
  const seconds = (used.user + used.system) / 1e6;
  most = Math.max(most, process.memoryUsage().rss);
  clearInterval(timer);
  const again = performance.now();
  await findTwins({ root: folder, indexFile, maxPixels: 1e9 });
  console.log(
    `${n} images: compared in ${seconds.toFixed(1)} s of the processor with ${((most - before) / 2 ** 20).toFixed(0)} MB more memory; ` +
      `${pairs.filter((pair) => pair.alike >= near).length} pairs (${Math.floor(n / 10)} made); the next time ${((performance.now() - again) / 1000).toFixed(2)} s; ` +
      `hashes ${each.toFixed(2)} ms an image; index ${(statSync(indexFile).size / 2 ** 20).toFixed(0)} MB`,
  );
  rmSync(folder, { recursive: true, force: true });
}

type Change = (photo: Buffer, width: number, height: number) => Promise<Buffer>;

const cut =
  (share: number, x: number, y: number): Change =>
  (photo, width, height) => {
    const [w, h] = [Math.round(width * share), Math.round(height * share)];
    const [left, top] = [Math.floor((width - w) * x), Math.floor((height - h) * y)];
    return sharp(photo).extract({ left, top, width: w, height: h }).jpeg({ quality: 90 }).toBuffer();
  };
const turned =
  (degrees: number, share: number): Change =>
  async (photo, width, height) => {
    const whole = await sharp(photo).rotate(degrees).png().toBuffer();
    const size = await sharp(whole).metadata();
    const [w, h] = [Math.round(width * share), Math.round(height * share)];
    const [left, top] = [(size.width - w) >> 1, (size.height - h) >> 1];
    return sharp(whole).extract({ left, top, width: w, height: h }).jpeg().toBuffer();
  };
/** Another photo of the scene: the camera turned by a share of the picture. */
const changes: Record<string, Change> = {
  "JPEG quality 50": (photo) => sharp(photo).jpeg({ quality: 50 }).toBuffer(),
  "JPEG quality 10": (photo) => sharp(photo).jpeg({ quality: 10 }).toBuffer(),
  "half size": (photo, width) =>
    sharp(photo)
      .resize(width >> 1)
      .jpeg()
      .toBuffer(),
  "160 px wide": (photo) => sharp(photo).resize(160).jpeg().toBuffer(),
  PNG: (photo) => sharp(photo).png().toBuffer(),
  "WebP quality 60": (photo) => sharp(photo).webp({ quality: 60 }).toBuffer(),
  grey: (photo) => sharp(photo).greyscale().jpeg().toBuffer(),
  "brighter by 20 %": (photo) => sharp(photo).modulate({ brightness: 1.2 }).jpeg().toBuffer(),
  "cut to 95 %": cut(0.95, 0.5, 0.5),
  "cut to 90 %, off centre": cut(0.9, 0.3, 0.6),
  "cut to 85 %": cut(0.85, 0.5, 0.5),
  "cut to 80 %, off centre": cut(0.8, 0.7, 0.2),
  "cut to 75 %": cut(0.75, 0.5, 0.5),
  "turned by 1°, cut to 96 %": turned(1, 0.96),
  "turned by 3°, cut to 90 %": turned(3, 0.9),
};

async function versions(folder: string): Promise<void> {
  const photos = readdirSync(folder).filter((name) => /\.(jpe?g|png)$/.test(name));
  const looks: { look: Uint8Array; of: number; change: string }[] = [];
  for (const [of, name] of photos.entries()) {
    const photo = readFileSync(path.join(folder, name));
    const { width, height } = await sharp(photo).metadata();
    looks.push({ look: await lookOf(photo), of, change: "" });
    for (const [change, make] of Object.entries(changes))
      looks.push({ look: await lookOf(await make(photo, width, height)), of, change });
    // Two photos of one scene that overlap by two thirds.
    looks.push({ look: await lookOf(await cut(0.75, 0, 0.5)(photo, width, height)), of, change: "left" });
    looks.push({ look: await lookOf(await cut(0.75, 1, 0.5)(photo, width, height)), of, change: "right" });
  }
  const each = windows.length * words;
  const values = new Uint32Array(looks.length * each);
  for (const [i, { look }] of looks.entries()) values.set(signatureOf(look) ?? [], i * each);
  const pairs = new Set<string>();
  let [photosApart, oneScene] = [0, 0];
  const all = new Uint8Array(looks.length).fill(1);
  const wholes = Uint32Array.from(looks.flatMap((_, i) => [...values.subarray(i * each, i * each + words)]));
  const windowsOf = (i: number) => values.subarray(i * each, (i + 1) * each);
  for await (const { whole, part, window } of candidates({ wholes, windowsOf }, all)) {
    const [a, b] = [looks[whole]!, looks[part]!];
    if (alike(a.look, b.look, windows[window]!) < near) continue;
    if (a.of !== b.of) photosApart += 1;
    else if (a.change === "left" && b.change === "right") oneScene += 1;
    if (a.of === b.of && (a.change === "" || b.change === "")) pairs.add(`${a.of} ${a.change || b.change}`);
  }
  for (const change of Object.keys(changes))
    console.log(
      `| ${change} | ${photos.filter((_, of) => pairs.has(`${of} ${change}`)).length} of ${photos.length} |`,
    );
  console.log(`${photosApart} pairs of different photos, ${oneScene} of ${photos.length} pairs of one scene`);
}

if (process.argv[2] === "versions") await versions(process.argv[3] ?? "demo/photos");
else await scale(Number(process.argv[2] ?? 100_000));
