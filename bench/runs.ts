// What the run table costs: reading and summarising so many runs, each with a config, four stages and an evaluation.
// The first time and later ones (p50, p95), and the bytes that the language server sends. node bench/runs.ts [runs=1000]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openProject } from "../src/engine/config/project.ts";
import { summariseRuns } from "../src/engine/pipeline/runSummaries.ts";
import { listRuns } from "../src/engine/pipeline/runs.ts";

const count = Number(process.argv[2] ?? 1000);
const calls = 40;
const root = mkdtempSync(path.join(os.tmpdir(), "leaf-runs-"));
try {
  mkdirSync(path.join(root, "photos"));
  const config = path.join(root, "leaf.yaml");
  writeFileSync(
    config,
    "images: photos\nmos: { file: mos.csv, image: image, score: score, range: [1, 5] }\n",
  );
  const project = await openProject(config);
  const key = "0".repeat(32);
  const ci95 = { srcc: [0.8, 0.9], plcc: [0.8, 0.9] };
  for (let i = 1; i <= count; i++) {
    const time = new Date(1.7e12 + i * 6e4).toISOString();
    const measured = { n: 200, srcc: 0.85, plcc: 0.86, plccLogistic: 0.87, krcc: 0.7, rmse: 0.3, ci95 };
    const trained = { run: `r${i}`, student: "x", durationS: 60, reused: false };
    const run = {
      v: 1,
      id: `r${i}`,
      configFile: "leaf.yaml",
      configHash: `${i}`,
      config: { ...project.config, label: { ...project.config.label, seed: i } },
      created: time,
      updated: time,
      state: "done",
      stages: {
        label: {
          key,
          seconds: 60,
          result: { images: 1000, points: { labelled: 1000 }, pairs: { labelled: 4000 } },
        },
        distill: {
          key,
          seconds: 60,
          result: { ...trained, teacherAgreement: { n: 100, srcc: 0.9, plcc: 0.9 } },
        },
        calibrate: { key, seconds: 60, result: { ...trained, images: 80 } },
        evaluate: {
          key,
          seconds: 60,
          result: { ...measured, student: "calibrate", split: "test", run: `r${i}` },
        },
      },
      versions: { leaf: "0", node: "0" },
      gitCommit: null,
    };
    mkdirSync(path.join(project.runs, run.id), { recursive: true });
    writeFileSync(path.join(project.runs, run.id, "run.json"), JSON.stringify(run, null, 2));
  }
  // A file that was written a moment ago is read again each time.
  await delay(4000);
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i <= calls; i++) {
    const start = performance.now();
    const used = process.cpuUsage();
    const summaries = await summariseRuns(project, await listRuns(project));
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(used);
    if (summaries.length !== count) throw new Error(`${summaries.length} of ${count} runs`);
    if (i === 0) {
      bytes = JSON.stringify(summaries).length;
      console.log(
        `${count} runs, first: ${ms.toFixed(0)} ms, ${((user + system) / 1000).toFixed(0)} ms of processor`,
      );
    } else times.push(ms, (user + system) / 1000);
  }
  const of = (values: number[], q: number) =>
    values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]!.toFixed(1);
  const [wall, processor] = [0, 1].map((side) => times.filter((_, i) => i % 2 === side)) as [
    number[],
    number[],
  ];
  console.log(
    `later: p50 ${of(wall, 0.5)} ms, p95 ${of(wall, 0.95)} ms; of processor p50 ${of(processor, 0.5)} ms, p95 ${of(processor, 0.95)} ms; ${(bytes / 1e6).toFixed(1)} MB to send`,
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}
