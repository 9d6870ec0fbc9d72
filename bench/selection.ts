/**
 * What a choice of calibration images is worth: the demo's data and settings, 10 % of the labels, each strategy over several
 * seeds (of the distilled student and of the draw). Prints mean SRCC and PLCC on the test photos, and the difference to random.
 *
 *     node bench/selection.ts [folder] [--seeds 5] [--ratio 0.1] [--json]
 *
 * Minutes a seed; what a folder holds already is not done again.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";
import { armConfig, arms } from "../demo/arms.ts";
import { writeDemoWorkspace } from "../demo/demoWorkspace.ts";
import { runLeaf } from "../demo/leafCommand.ts";
import { columns, figure } from "../demo/table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "5" },
    ratio: { type: "string", default: "0.1" },
    json: { type: "boolean", default: false },
  },
});
const folder = path.resolve(positionals[0] ?? path.join(import.meta.dirname, ".selection"));
const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
const ratio = Number(values.ratio);
const strategies = ["random", "quantile", "kcenter", "uncertainty", "combined"] as const;
const arm = arms.find((one) => one.from === "distill" && one.stage === "calibrate" && one.ratio === 0.1)!;

interface Evaluation {
  srcc: number;
  plcc: number;
  plccLogistic: number;
}

const signal = new AbortController().signal;
await mkdir(folder, { recursive: true });
if (!existsSync(path.join(folder, "mos.csv"))) await writeDemoWorkspace(folder, () => {}, signal);
const found = new Map<string, Evaluation[]>(strategies.map((name) => [name, []]));
for (const seed of seeds)
  for (const selection of strategies) {
    const config = parse(armConfig({ ...arm, ratio }, seed)) as Record<string, object>;
    config.calibrate = { ...config.calibrate, selection };
    config.python = { threads: 1 };
    const file = `selection-${selection}-${seed}.leaf.yaml`;
    await writeFile(path.join(folder, file), stringify(config));
    const leaf = <T>(...args: string[]) => runLeaf<T>([...args, "--config", file], folder, signal);
    if (selection === strategies[0]) {
      await leaf("label");
      await leaf("distill");
    }
    await leaf("calibrate");
    const evaluation = await leaf<Evaluation>("evaluate");
    found.get(selection)!.push(evaluation);
    process.stderr.write(`bench: seed ${seed} ${selection}: SRCC ${figure(evaluation.srcc)}\n`);
  }

const mean = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const sd = (numbers: number[]) =>
  Math.sqrt(mean(numbers.map((one) => (one - mean(numbers)) ** 2)) * (numbers.length / (numbers.length - 1)));
const rows = strategies.map((name) => {
  const own = found.get(name)!;
  const difference = own.map((one, i) => one.srcc - found.get("random")![i]!.srcc);
  return {
    strategy: name,
    srcc: mean(own.map((one) => one.srcc)),
    srccSd: sd(own.map((one) => one.srcc)),
    plcc: mean(own.map((one) => one.plcc)),
    plccLogistic: mean(own.map((one) => one.plccLogistic)),
    overRandom: mean(difference),
    overRandomSe: sd(difference) / Math.sqrt(difference.length),
    seeds: own,
  };
});
if (values.json) process.stdout.write(`${JSON.stringify({ ratio, rows }, null, 2)}\n`);
else {
  const head = ["selection", "SRCC", "(sd)", "PLCC", "after logistic", "SRCC − random (se)"];
  const cells = rows.map((row) => [
    row.strategy,
    figure(row.srcc),
    figure(row.srccSd),
    figure(row.plcc),
    figure(row.plccLogistic),
    `${figure(row.overRandom)} (${figure(row.overRandomSe)})`,
  ]);
  process.stdout.write(`${columns([head, ...cells])}\n`);
}
