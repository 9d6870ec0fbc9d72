// How what LEAF does grows with the images: seconds of the processor at 1,000, 10,000 and 100,000 (no training),
// and the exponent of a line through them in log-log: 1 is in proportion. node bench/growth.ts [largest=100000] [works, as "distil,hover"]
// LEAF_PYTHON names an interpreter with the trainer's packages.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { labelDataset } from "../src/engine/labelling/labelling.ts";
import { openLabels } from "../src/engine/labels/labels.ts";
import type { Teacher } from "../src/engine/teachers/teacher.ts";
import { smallNetwork } from "../test/support/onnxWriter.ts";
import { manyFiles } from "./suite/finishedProject.ts";
import { trainerScript } from "./suite/training.ts";

const largest = Number(process.argv[2] ?? 100_000);
const wanted = process.argv[3]?.split(",");
const amounts = [1000, 10_000, 100_000].filter((n) => n <= largest);
const trained = amounts.filter((n) => n <= 10_000);
const root = mkdtempSync(path.join(os.tmpdir(), "leaf-growth-"));
const run = promisify(execFile);
const bench = (file: string) => path.join(import.meta.dirname, file);

const works: [name: string, amounts: number[], unit: string, measure: (n: number) => Promise<number>][] = [
  ["index, new files of 3 kB", amounts, "s", index],
  ["index, unchanged", amounts, "s", index],
  ["label: a point an image and 7 pairs, by a teacher that answers at once", amounts, "s", label],
  ["score: images of 96 × 64, a network that takes a mean; with the start of `leaf`", amounts, "s", score],
  ["distil: two epochs of ConvNeXt-atto at 32 pixels, 8 partners an image", trained, "s", distil],
  ["hover over a scored image, median", amounts, "ms", hover],
];

console.log(`| work | ${amounts.map((n) => n.toLocaleString("en")).join(" | ")} | exponent |`);
console.log(`| --- |${" --- |".repeat(amounts.length + 1)}`);
try {
  for (const [name, some, unit, measure] of works) {
    if (wanted && !wanted.some((start) => name.startsWith(start))) continue;
    const found: number[] = [];
    for (const n of some) found.push(await measure(n));
    const cells = amounts.map((_, i) => (found[i] === undefined ? "" : `${found[i].toPrecision(2)} ${unit}`));
    console.log(`| ${name} | ${cells.join(" | ")} | ${exponent(some, found).toFixed(2)} |`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function folderOf(n: number): Promise<string> {
  const folder = path.join(root, String(n));
  if (mkdirSync(path.join(folder, "photos"), { recursive: true }))
    await manyFiles(path.join(folder, "photos"), n);
  return folder;
}

/** The first time all are new. */
async function index(n: number): Promise<number> {
  const { stdout } = await run(process.execPath, [bench("index-memory.ts"), "--scan", await folderOf(n)]);
  return JSON.parse(stdout).processorSeconds;
}

async function label(n: number): Promise<number> {
  const store = openLabels(path.join(root, `labels-${n}.sqlite`));
  const images = Array.from({ length: n }, (_, i) => {
    const hash = ((i * 2654435761) % 2 ** 32).toString(16).padStart(8, "0").repeat(4);
    return { hash, name: `${i}.jpg`, read: () => Promise.reject(new Error("Nobody looks at it.")) };
  });
  const teacher: Teacher = {
    kind: "stub",
    fingerprint: "stub",
    description: {},
    batchSize: 100,
    judgePoints: async (some) =>
      some.map(() => ({ ok: true, probabilities: [0.1, 0.2, 0.4, 0.2, 0.1], mass: 1 })),
    judgePairs: async (some) => some.map(() => ({ ok: true, pAB: 0.6, pBA: 0.7 })),
    close: async () => {},
  };
  const used = process.cpuUsage();
  await labelDataset({
    store,
    teacher,
    images: () => images,
    pairs: { perImage: 7, strategy: "mixed", seed: 0 },
    minConfidence: 0.1,
  });
  const { user, system } = process.cpuUsage(used);
  store.close();
  return (user + system) / 1e6;
}

async function score(n: number): Promise<number> {
  const student = path.join(root, "student");
  mkdirSync(student, { recursive: true });
  writeFileSync(path.join(student, "student.onnx"), smallNetwork(32));
  const provenance = {
    leaf: "",
    created: "",
    stageKey: "",
    teacher: null,
    images: 0,
    torch: "",
    device: "cpu",
  };
  const input = { resize: 48, crop: 32, views: 1 };
  const card = { v: 1, stage: "distill", model: "atto", input, mosScale: null, parameters: 0, provenance };
  writeFileSync(
    path.join(student, "student.json"),
    JSON.stringify({ ...card, exportMaxDifference: 0, domain: null }),
  );
  const photos = path.join(await folderOf(n), "photos");
  // The shell tells what its children took: user and system, as 0m1.234s.
  const line = `"$0" "$1" score "$2" --student "$3" --csv > /dev/null 2>&1 && times`;
  const { stdout } = await run("bash", [
    "-c",
    line,
    process.execPath,
    path.resolve("bin/leaf.js"),
    photos,
    student,
  ]);
  const [, , user, system] = [...stdout.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, m, s]) => 60 * Number(m) + Number(s),
  );
  return user! + system!;
}

/** Without the start of PyTorch and the student's file, which do not grow. */
async function distil(n: number): Promise<number> {
  const data = path.join(root, `training-${n}`);
  const leaf = path.resolve("bin/leaf.js");
  await trainerScript(leaf, "make_training.py", ["atto", data, "32", String(n)]);
  return (await trainerScript(leaf, "train_leaf.py", [data, path.join(data, "out")])).processor;
}

async function hover(n: number): Promise<number> {
  const { stdout } = await run(process.execPath, [bench("hover.ts"), String(n)]).catch((error) => error);
  return Number(/p50 ([\d.]+) ms/.exec(stdout)![1]);
}

/** Slope of the least-squares line through the logarithms. */
function exponent(amounts: readonly number[], values: readonly number[]): number {
  const [x, y] = [amounts.map(Math.log), values.map(Math.log)];
  const mean = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0) / some.length;
  const [mx, my] = [mean(x), mean(y)];
  const dot = (a: readonly number[], ma: number, b: readonly number[], mb: number) =>
    a.reduce((sum, one, i) => sum + (one - ma) * (b[i]! - mb), 0);
  return dot(x, mx, y, my) / dot(x, mx, x, mx);
}
