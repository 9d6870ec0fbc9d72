import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { expect, it, onTestFinished } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import { prepare } from "../../../src/engine/images/views.ts";
import { studentTable } from "../../../src/engine/selection/studentTable.ts";
import { heatMap } from "../../../src/engine/student/heatMap.ts";
import { judgePicture, openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

// student-whole/ scores any size: 1 + 4 · mean / 255, `levels` are mean and deviation of each channel (make_student.py).
const dir = path.resolve("test/fixtures/student-whole");

async function student(folder = dir) {
  const opened = await openStudent(folder);
  onTestFinished(() => opened.close());
  return opened;
}

/** Of sizes that are shrunk, left alone, enlarged and cut, some twice, and one that is no image. */
async function images() {
  const folder = temporaryFolder();
  const sizes = [
    [80, 60],
    [64, 48],
    [33, 41],
    [80, 60],
    [20, 30],
    [400, 40],
    [48, 48],
  ] as const;
  const items = [];
  for (const [i, [width, height]] of sizes.entries()) {
    const file = path.join(folder, `${i}.png`);
    const bytes = await picture(width, height, i).png().toBuffer();
    writeFileSync(file, bytes);
    items.push({ path: file, hash: hashBytes(bytes) });
  }
  const broken = path.join(folder, "broken.png");
  writeFileSync(broken, "none");
  return { items, broken: { path: broken, hash: hashBytes(Buffer.from("none")) } };
}

async function expected(file: string) {
  const { card } = await student();
  const { data } = await prepare(await decodeImage(file), card.input);
  const means = [0, 0, 0];
  const squares = [0, 0, 0];
  for (const [i, value] of data.entries()) {
    means[i % 3]! += (3 * value) / data.length;
    squares[i % 3]! += (3 * value ** 2) / data.length;
  }
  const deviations = squares.map((square, c) => Math.sqrt(square - means[c]! ** 2 + 1e-6));
  const score = 1 + (4 * (means[0]! + means[1]! + means[2]!)) / 3 / 255;
  return { score, levels: [...means, ...deviations] };
}

it("scores pictures of all sizes whole, in their order, alone or among others", async () => {
  const { items, broken } = await images();
  const opened = await student();
  const found = [];
  for await (const one of scoreImages(opened, [...items, broken, items[0]!], {
    features: true,
    levels: true,
  }))
    found.push(one);
  expect(found.map(({ item }) => item)).toEqual([...items, broken, items[0]]);
  expect(found.at(-2)).toMatchObject({ lasting: true });
  expect(found.at(-1)).toEqual(found[0]);
  for (const [i, item] of items.entries()) {
    const one = found[i]!;
    if (!("score" in one)) throw new Error(one.reason);
    const { score, levels } = await expected(item.path);
    expect(one.score).toBeCloseTo(score, 5);
    expect((await judgePicture(opened, await decodeImage(item.path))).score).toBe(one.score);
    expect(one.levels).toHaveLength(6);
    for (const [at, value] of levels.entries()) expect(Math.abs(one.levels![at]! - value)).toBeLessThan(0.02);
    expect([...one.features!]).toEqual([...one.levels!.subarray(0, 3)]);
  }
});

it("has a heat map of the whole picture, whose mean is the score", async () => {
  const file = path.join(temporaryFolder(), "a.png");
  await sharp({ create: { width: 128, height: 96, channels: 3, background: "#336699" } })
    .composite([
      {
        input: { create: { width: 64, height: 96, channels: 3, background: "#ffffff" } },
        left: 64,
        top: 0,
      },
    ])
    .png()
    .toFile(file);
  const map = await heatMap(await student(), await decodeImage(file));
  expect(map.views).toHaveLength(1);
  const [{ place, rows, columns, scores }] = map.views as [(typeof map.views)[0]];
  expect(place).toEqual({ x: 0, y: 0, width: 128, height: 96 });
  expect([rows, columns]).toEqual([3, 4]);
  expect(scores.reduce((sum, one) => sum + one, 0) / scores.length).toBeCloseTo(map.score, 5);
  for (const row of [0, 1, 2]) expect(scores[row * 4 + 3]! - scores[row * 4]!).toBeGreaterThan(1);
});

it("keeps the levels of images by their hashes, beside features that were there before", async () => {
  const { items, broken } = await images();
  const root = temporaryFolder();
  writeFileSync(path.join(root, "leaf.yaml"), "images: .\n");
  const project = await openProject(path.join(root, "leaf.yaml"));
  const all = [...items, broken];
  const before = await studentTable(project, "distill-k", dir, all);
  expect(before.dim).toBe(3);
  const failures: string[] = [];
  const table = await studentTable(project, "distill-k", dir, all, {
    levels: true,
    onFailure: ({ file }) => failures.push(file),
  });
  expect(failures).toHaveLength(1);
  expect([table.dim, table.hashes]).toEqual([6, before.hashes]);
  expect(table.scores).toEqual(before.scores);
  const { levels } = await expected(items[2]!.path);
  for (const [at, value] of levels.entries())
    expect(Math.abs(table.features[2 * 6 + at]! - value)).toBeLessThan(0.02);
  // From here on without a student.
  expect(await studentTable(project, "distill-k", "nowhere", all, { levels: true })).toEqual(table);
  expect(await studentTable(project, "distill-k", "nowhere", all)).toEqual(before);
});

it("is told where a student has no levels, or its card promises others", async () => {
  const { items } = await images();
  const old = await student(path.resolve("test/fixtures/student"));
  const scored = scoreImages(old, items, { levels: true });
  await expect(scored.next()).rejects.toMatchObject({ code: "input", message: /no output `levels`/ });
  const folder = temporaryFolder();
  const card = JSON.parse(readFileSync(path.join(dir, "student.json"), "utf8"));
  writeFileSync(path.join(folder, "student.onnx"), readFileSync(path.join(dir, "student.onnx")));
  const withLevels = (levels: unknown) =>
    writeFileSync(path.join(folder, "student.json"), JSON.stringify({ ...card, levels }));
  withLevels({ ...card.levels, dim: 7 });
  await expect(openStudent(folder)).rejects.toMatchObject({ message: /`levels` is .* not float32 n × 7/ });
  withLevels({ ...card.levels, parts: [{ ...card.levels.parts[0], sd: 4 }] });
  await expect(openStudent(folder)).rejects.toMatchObject({ message: /`parts` must lie within `dim`/ });
});
