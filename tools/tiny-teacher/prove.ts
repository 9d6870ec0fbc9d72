// Usage: node tools/tiny-teacher/prove.ts [--epochs N] [--folder DIR]: the whole method with the tiny teacher, on photos it has not seen.
// llama.cpp serves it; leaf labels, distils, evaluates. Needs the built `dist/` and LEAF_PYTHON. Prints one JSON document.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runLeaf } from "../../demo/leafCommand.ts";
import { srcc } from "../../src/engine/metrics/rank.ts";
import type { DistillResult, EvaluateResult, LabelResult } from "../../src/protocol/results.ts";
import { configText, heldOut, makeProject, minConfidence } from "./project.ts";
import { serveTinyTeacher } from "./server.ts";
import { accuracy, type UnseenImage, unseenPhotos } from "./unseen.ts";

const { values } = parseArgs({
  options: { epochs: { type: "string", default: "12" }, folder: { type: "string" } },
});
// A folder that is named is kept, and what was done in it is not done again.
const folder = values.folder ?? (await mkdtemp(path.join(tmpdir(), "leaf-tiny-teacher-")));
const { signal } = new AbortController();
const seconds: Record<string, number> = {};

try {
  const images = await timed("images", () => makeProject(folder, 6));
  const server = await serveTinyTeacher();
  let label: LabelResult;
  try {
    await writeFile(path.join(folder, "leaf.yaml"), configText(server.endpoint, Number(values.epochs)));
    label = await timed("label", () => runLeaf<LabelResult>(["label"], folder, signal));
  } finally {
    await server.stop();
  }
  await runLeaf(["export", "labels", "-o", "labels"], folder, signal);
  await timed("distill", () => runLeaf<DistillResult>(["distill"], folder, signal));
  const evaluate = await timed("evaluate", () =>
    runLeaf<EvaluateResult>(["evaluate", "--stage", "distill"], folder, signal),
  );
  const teacher = await teacherFigures(images);
  const { srcc: student, ci95 } = evaluate;
  console.log(
    JSON.stringify(
      { label, teacher, student: { n: evaluate.n, srcc: student, ci95: ci95?.srcc }, seconds },
      null,
      2,
    ),
  );
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
}

/** Agreement of the teacher's own judgements with the truth, on unseen photos alone. */
async function teacherFigures(images: UnseenImage[]) {
  const mos = new Map(images.map((one) => [`images/${one.image}`, one.mos]));
  const unseen = (name: string) => unseenPhotos.some((photo) => name.startsWith(`images/${photo}_`));
  const points = (await rowsOf("points.csv")).filter((row) => unseen(row.image!));
  const agreement = (rows: Record<string, string>[]) =>
    srcc(
      Float64Array.from(rows, (row) => Number(row.score)),
      Float64Array.from(rows, (row) => mos.get(row.image!)!),
    );
  const held = points.filter((row) => heldOut.some((photo) => row.image!.includes(`/${photo}_`)));
  const pairRows = (await rowsOf("pairs.csv")).filter((row) => unseen(row.a!) && unseen(row.b!));
  const pairs = pairRows.map((row) => ({
    a: mos.get(row.a!)!,
    b: mos.get(row.b!)!,
    p: Number(row.pABetter),
    kept: Number(row.confidence) >= minConfidence,
  }));
  return {
    unseen: { n: points.length, srcc: agreement(points) },
    heldOut: { n: held.length, srcc: agreement(held) },
    perPhoto: Object.fromEntries(
      unseenPhotos.map((photo) => [
        photo,
        agreement(points.filter((row) => row.image!.includes(`/${photo}_`))),
      ]),
    ),
    pairs: {
      kept: accuracy(pairs.filter((pair) => pair.kept)),
      discarded: accuracy(pairs.filter((pair) => !pair.kept)),
    },
  };
}

/** A CSV that LEAF wrote here: no quotes in it. */
async function rowsOf(name: string): Promise<Record<string, string>[]> {
  const text = await readFile(path.join(folder, "labels", name), "utf8");
  const [header, ...lines] = text.trim().split(/\r?\n/);
  const names = header!.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [names[i]!, value])));
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  seconds[what] = Number(((performance.now() - start) / 1000).toFixed(1));
  return result;
}
