/**
 * What LEAF is worth against people's scores: a table of arms × numbers of ratings, on any folder of images with any table of
 * MOS. Every figure is of held-out images; no group is in two splits.
 *
 *     node bench/human.ts --images photos --mos scores.csv --image image --score mos --range 0,1 --group series --out out
 *
 * `--counts 0,14,45,135,405,all` ratings; `--arms tgd,cft`; `--draws 10` draws of the ratings, over `--splits 10` splits by
 * group (with fewer splits than draws several draws share one, and its distilled student); `--dear 3` draws for arms that
 * fine-tune, at `--dear-counts`. `--set key=value` (YAML) changes the base config, `--set arm:key=value` one arm; `--leaf PATH`
 * measures another LEAF, such as a former release. What `--out` holds already is not done again, so a run that was cut off goes on.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { merged, nested, type Tree } from "../src/engine/experiments/overrides.ts";
import { openTable } from "../src/engine/tables/table.ts";
import { arms } from "./human/arms.ts";
import {
  type Cell,
  configsOf,
  NotInThisLeaf,
  readCells,
  runCell,
  type Setup,
  sameCell,
  writeScores,
  writeWhole,
} from "./human/cells.ts";
import { humanTable } from "./human/table.ts";

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    mos: { type: "string" },
    image: { type: "string", default: "image" },
    score: { type: "string", default: "mos" },
    range: { type: "string", default: "1,5" },
    group: { type: "string" },
    source: { type: "string" },
    out: { type: "string" },
    test: { type: "string", default: "0.3333" },
    counts: { type: "string", default: "14,45,135,405,all" },
    "dear-counts": { type: "string" },
    draws: { type: "string", default: "10" },
    splits: { type: "string", default: "10" },
    dear: { type: "string", default: "3" },
    arms: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
    leaf: { type: "string", default: path.join(import.meta.dirname, "..", "bin", "leaf.js") },
  },
});
if (!values.images || !values.mos || !values.out) throw new Error("--images, --mos and --out are needed.");
const out = path.resolve(values.out);
await mkdir(out, { recursive: true });

const columns = { image: values.image, mos: values.score, group: values.group, source: values.source };
const rows = await readRows(path.resolve(values.mos), columns);
await writeScores(path.join(out, "mos.csv"), rows);
const range = values.range.split(",").map(Number);
const settings = values.set.map((text) => {
  const [, arm, key, value] = /^(?:(\w+):)?([\w.]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined) throw new Error(`--set takes key=value or arm:key=value, not ${text}.`);
  return { arm, set: nested({ [key]: parse(value!) }) };
});
const settingsOf = (id?: string) => settings.flatMap(({ arm, set }) => (arm === id ? [set as Tree] : []));
const base = [
  {
    images: path.relative(out, path.resolve(values.images)),
    mos: { file: "mos.csv", format: "columns", image: "image", score: "mos", range },
    split: { test: Number(values.test), ...(values.group ? { groupBy: "group" } : {}) },
    teacher: { kind: "embedded" },
    student: { model: "efficientnet-lite0" },
  },
  ...settingsOf(),
].reduce<Tree>((all, set) => merged(all, set) as Tree, {});
const split = base.split as { test: number; val?: number };
const setup: Setup = {
  out,
  leaf: path.resolve(values.leaf),
  base,
  settingsOf,
  training: Math.round(rows.length * (1 - split.test - (split.val ?? 0.1))),
};

const counts = (text: string) => text.split(",").map((one) => (one === "all" ? null : Number(one)));
const wanted = values.arms?.split(",") ?? arms.map(({ id }) => id);
const draws = Number(values.draws);
const plan = arms
  .filter(({ id }) => wanted.includes(id))
  .flatMap((arm) => {
    const own = counts(arm.dear ? (values["dear-counts"] ?? values.counts) : values.counts);
    const n = arm.dear ? Math.min(draws, Number(values.dear)) : draws;
    // Of the teacher and of the distilled student there is one a split.
    const rated = arm.stage === "calibrate";
    const times = rated ? n : Math.min(n, Number(values.splits));
    return (rated ? own.filter((count) => count !== 0) : [0]).flatMap((count) =>
      Array.from({ length: times }, (_, draw) => ({
        arm,
        cell: { arm: arm.id, count, split: draw % Number(values.splits), draw } satisfies Cell,
      })),
    );
  });

const absent = new Map<string, string>();
// Draw by draw, so that what is cut off has something of every arm.
plan.sort((a, b) => a.cell.draw - b.cell.draw);
for (const { arm, cell } of plan) {
  const before = (await readCells(out)).find((one) => sameCell(one, cell));
  if (absent.has(arm.id) || (before && configsOf(setup, arm, cell).includes(before.config))) continue;
  const started = performance.now();
  try {
    await runCell(setup, arm, cell);
  } catch (error) {
    if (!(error instanceof NotInThisLeaf)) throw error;
    absent.set(arm.id, error.message);
    continue;
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stderr.write(
    `human: ${arm.name}, ${cell.count ?? "all"} ratings, split ${cell.split}, draw ${cell.draw}: ${seconds} s\n`,
  );
  await report();
}
process.stdout.write((await report()).text);

async function report() {
  const table = await humanTable(out, await readCells(out), rows, absent);
  await writeWhole(path.join(out, "table.json"), `${JSON.stringify(table.figures, null, 1)}\n`);
  await writeWhole(path.join(out, "table.md"), table.text);
  return table;
}

async function readRows(
  file: string,
  { image, mos, group, source }: { image: string; mos: string; group?: string; source?: string },
): Promise<{ image: string; mos: number; group: string; source: string }[]> {
  if (!existsSync(file)) throw new Error(`${file} does not exist.`);
  const table = await openTable(file);
  const names = [image, mos, group, source];
  const at = names.flatMap((name) => {
    if (name === undefined) return [];
    const i = table.columns.indexOf(name);
    if (i < 0) throw new Error(`${file} has no column ${name}; there are ${table.columns.join(", ")}.`);
    return [i];
  });
  const read: { image: string; mos: number; group: string; source: string }[] = [];
  for await (const batch of table.batches(at))
    for (const { cells } of batch) {
      const left = [...cells] as string[];
      read.push({
        image: left.shift()!,
        mos: Number(left.shift()),
        group: group === undefined ? "" : left.shift()!,
        source: source === undefined ? "" : left.shift()!,
      });
    }
  return read;
}
