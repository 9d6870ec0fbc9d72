/**
 * What a choice of calibration images is worth, cheaply: in place of fine-tuning, ridge regression of MOS on the distilled
 * student's score and features. So many draws can be compared that small differences show; whether they hold for fine-tuning is
 * for bench/selection.ts to say, whose folder and students this reads.
 *
 *     node bench/selection-probe.ts [folder] [--ratio 0.1] [--draws 20]
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { columns, figure } from "../demo/table.ts";
import { openProject } from "../src/engine/config/project.ts";
import { openCatalog } from "../src/engine/dataset/catalog.ts";
import { plcc, srcc } from "../src/engine/metrics/agreement.ts";
import { distilledStudent } from "../src/engine/pipeline/select.ts";
import { stageDir } from "../src/engine/pipeline/stage.ts";
import { standardised } from "../src/engine/selection/kcenter.ts";
import { gram, ridgePredict } from "../src/engine/selection/ridge.ts";
import { takeChoices } from "../src/engine/selection/strategies.ts";
import { candidatesOf, studentTable } from "../src/engine/selection/studentTable.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ratio: { type: "string", default: "0.1" },
    draws: { type: "string", default: "20" },
    students: { type: "string", default: "5" },
  },
});
const folder = path.resolve(positionals[0] ?? path.join(import.meta.dirname, ".selection"));
const names = ["random", "quantile", "kcenter", "uncertainty", "combined"] as const;
const penalties = [0.3, 1, 3];
const found = new Map(names.map((name) => [name, [] as { srcc: number; plcc: number }[]]));

for (let student = 0; student < Number(values.students); student++) {
  const project = await openProject(path.join(folder, `selection-random-${student}.leaf.yaml`)).catch(
    () => undefined,
  );
  if (!project) break;
  const catalog = await openCatalog(project);
  const distilled = await distilledStudent(project, catalog);
  if (!distilled) break;
  const hashes = catalog.hashes.filter((hash) => catalog.splitOf(hash) !== "val");
  const items = hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  const dir = stageDir(project, "distill", distilled.key);
  const all = await studentTable(project, `distill-${distilled.key}`, dir, items, { threads: 1 });
  const n = all.hashes.length;
  const truth = Float64Array.from(all.hashes, (hash) => catalog.mos.get(hash)!);
  const kernel = gram(standardised(all.features, n, all.dim), n, all.dim);
  const score = standardised(Float32Array.from(all.scores), n, 1);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) kernel[i * n + j] = kernel[i * n + j]! / all.dim + score[i]! * score[j]!;
  const split = (name: string) =>
    Uint32Array.from(all.hashes.keys()).filter((i) => catalog.splitOf(all.hashes[i]!) === name);
  const [train, test] = [split("train"), split("test")];
  const pool = {
    hashes: [...train].map((i) => all.hashes[i]!),
    scores: Float64Array.from(train, (i) => all.scores[i]!),
    features: Float32Array.from(
      [...train].flatMap((i) => [...all.features.subarray(i * all.dim, (i + 1) * all.dim)]),
    ),
    dim: all.dim,
  };
  const held = Float64Array.from(test, (i) => truth[i]!);
  const count = Math.round(Number(values.ratio) * train.length);
  for (let draw = 0; draw < Number(values.draws); draw++)
    for (const name of names) {
      // Strategies that draw nothing are the same each time.
      if (draw > 0 && (name === "kcenter" || name === "uncertainty")) continue;
      const candidates = candidatesOf(project, distilled.teacher, pool, 1000 + draw);
      const chosen = Uint32Array.from(await takeChoices(name, candidates, count), (i) => train[i]!);
      for (const lambda of penalties) {
        const predicted = ridgePredict(kernel, n, truth, { train: chosen, test, lambda });
        found.get(name)!.push({ srcc: srcc(predicted, held)!, plcc: plcc(predicted, held)! });
      }
    }
  catalog.close();
}
const mean = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const rows = names.map((name) => {
  const own = found.get(name)!;
  return [
    name,
    figure(mean(own.map((one) => one.srcc))),
    figure(mean(own.map((one) => one.plcc))),
    String(own.length),
  ];
});
process.stdout.write(`${columns([["selection", "SRCC", "PLCC", "fits"], ...rows])}\n`);
