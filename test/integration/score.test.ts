import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { encode } from "fast-bmp";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveInterpreter } from "../../src/engine/python/environment.ts";
import type { HeatMap } from "../../src/engine/student/heatMap.ts";
import { leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

const { dir, remove } = temporaryFolder();
afterAll(remove);
beforeAll(async () => {
  await makeWorkspace(dir, 12);
  await leafJson(dir, "label");
  await leafJson(dir, "distill");
}, 240_000);

interface Scores {
  far: number | null;
  scores: { image: string; score: number; distance?: number; far?: boolean }[];
  failed: { image: string; reason: string }[];
}

test("score reads every format, names the broken files, and exits 0", { timeout: 120_000 }, async () => {
  const mixed = path.join(dir, "mixed");
  const picture = sharp(path.resolve("demo/photos/coffee.jpg")).extract({
    left: 0,
    top: 0,
    width: 200,
    height: 150,
  });
  const file = (name: string) => path.join(mixed, name);
  await import("node:fs/promises").then((fs) => fs.mkdir(mixed));
  await picture.clone().jpeg().toFile(file("a.jpg"));
  await picture.clone().toColourspace("cmyk").jpeg().toFile(file("cmyk.jpeg"));
  await picture.clone().png().toFile(file("b.png"));
  await picture.clone().toColourspace("rgb16").png().toFile(file("sixteen.PNG"));
  await picture.clone().ensureAlpha(0.5).png().toFile(file("alpha.png"));
  await picture.clone().greyscale().png().toFile(file("grey.png"));
  await picture.clone().webp().toFile(file("c.webp"));
  await picture.clone().avif({ effort: 0 }).toFile(file("d.avif"));
  await picture.clone().tiff({ compression: "lzw" }).toFile(file("e.tif"));
  await picture.clone().gif().toFile(file("f.gif"));
  const { data, info } = await picture.clone().removeAlpha().raw().toBuffer({ resolveWithObject: true });
  writeFileSync(
    file("g.bmp"),
    encode({ width: info.width, height: info.height, data, bitsPerPixel: 24, components: 3, channels: 3 }),
  );
  copyFileSync(file("b.png"), file("renamed.jpg"));
  writeFileSync(file("empty.jpg"), "");
  writeFileSync(file("broken.png"), "this is no image");

  const { scores, failed } = await leafJson<Scores>(dir, "score", "mixed");
  const names = scores.map((one) => path.basename(one.image)).sort();
  expect(names).toEqual([
    "a.jpg",
    "alpha.png",
    "b.png",
    "c.webp",
    "cmyk.jpeg",
    "d.avif",
    "e.tif",
    "f.gif",
    "g.bmp",
    "grey.png",
    "renamed.jpg",
    "sixteen.PNG",
  ]);
  expect(failed.map((one) => path.basename(one.image)).sort()).toEqual(["broken.png", "empty.jpg"]);
  for (const { reason } of failed) expect(reason).toMatch(/empty|not an image/);
  const of = (name: string) => scores.find((one) => path.basename(one.image) === name)!.score;
  // Lossless copies of the same pixels get the same score.
  expect(of("renamed.jpg")).toBe(of("b.png"));
  expect(of("g.bmp")).toBeCloseTo(of("b.png"), 6);
  expect(of("e.tif")).toBeCloseTo(of("b.png"), 6);
});

test("--csv quotes names, and a folder without images is said", async () => {
  const photo = path.join(dir, "photos", "coffee_000.png");
  copyFileSync(photo, path.join(dir, 'odd, "name".png'));
  const { code, stdout } = await leaf(dir, "score", 'odd, "name".png', "--csv");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^image,score\n"odd, ""name"".png",[\d.]+\n$/);
  const nothing = await leaf(dir, "score", "nowhere");
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain("nowhere does not exist");
});

test("a student of few images cannot tell what is far, and says so", async () => {
  const { far, scores } = await leafJson<Scores>(dir, "score", "photos");
  expect(far).toBeNull();
  for (const one of scores) expect(one).not.toHaveProperty("far");
});

test("heatmap draws what the score is made of", async () => {
  const file = path.join("photos", "coffee_000.png");
  const map = await leafJson<HeatMap & { file: string }>(dir, "heatmap", file, "-o", "out/heat.png");
  const { scores } = await leafJson<Scores>(dir, "score", file);
  expect(map.score).toBeCloseTo(scores[0]!.score, 5);
  const all = map.views.flatMap((view) => view.scores);
  expect(all.reduce((sum, one) => sum + one, 0) / all.length).toBeCloseTo(map.score, 4);
  const { width, height } = await sharp(path.join(dir, "out/heat.png")).metadata();
  expect([width, height]).toEqual([160, 200]);
  const { code, stderr } = await leaf(dir, "heatmap", "broken.png");
  expect([code, stderr.split("\n")[0]]).toEqual([1, "leaf: Cannot read broken.png: it does not exist."]);
});

test("the model card's own Python gives the same scores", { timeout: 120_000 }, async () => {
  const { files } = await leafJson<{ files: string[] }>(dir, "export", "student", "-o", "out/student");
  expect(files.map((file) => path.basename(file))).toEqual([
    "student.onnx",
    "student.json",
    "MODEL_CARD.md",
    "student.sha256",
  ]);
  const folder = path.join(dir, "out/student");
  const text = readFileSync(path.join(folder, "MODEL_CARD.md"), "utf8");
  const code = /```python\n([\s\S]*?)```/.exec(text)![1]!;
  // Its short side is what the student resizes to: no pixel differs.
  const exact = path.join(dir, "exact.png");
  await sharp(path.join(dir, "photos", "coffee_000.png"))
    .resize(48, 64, { fit: "fill" })
    .png()
    .toFile(exact);
  const resized = path.join(dir, "photos", "stream_003.png");
  const { stdout } = await promisify(execFile)(
    resolveInterpreter(undefined, dir),
    ["-c", code, exact, resized],
    { cwd: folder },
  );
  const theirs = stdout.trim().split("\n").map(Number.parseFloat);
  const { scores } = await leafJson<Scores>(dir, "score", exact, resized, "--student", folder);
  expect(Math.abs(theirs[0]! - scores[0]!.score)).toBeLessThan(1e-4);
  expect(Math.abs(theirs[1]! - scores[1]!.score)).toBeLessThan(0.05);
});

test("report writes one file of the newest run, or says that there is none", async () => {
  const result = await leafJson<{ run: string; file: string }>(dir, "report", "-o", "out/report.html");
  expect(result).toEqual({ run: "r1", file: "out/report.html" });
  const page = readFileSync(path.join(dir, "out/report.html"), "utf8");
  expect(page).toContain("on a sample of 12 images");
  expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(12);
  expect(page).not.toContain(dir);
  const none = await leaf(dir, "report", "r9");
  expect([none.code, none.stderr.split("\n")[0]]).toEqual([1, "leaf: There is no run r9."]);
});
