import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "yaml";
import { merged, type Tree } from "../../src/engine/experiments/overrides.ts";
import { toCsv } from "../../src/engine/tables/csvText.ts";
import { openTable } from "../../src/engine/tables/table.ts";
import type { Arm } from "./arms.ts";

/** What one arm made of one draw of the ratings, on one split. */
export interface Cell {
  arm: string;
  /** Ratings that were asked for: 0 for none, null for all of the training images. */
  count: number | null;
  split: number;
  draw: number;
}

/** A cell that is done. `predictions` is a file of LEAF's own, with the columns image, score, mos. */
export interface DoneCell extends Cell {
  ratings: number;
  /** Of the calibration alone; null for the distilled student. */
  seconds: number | null;
  from: string | null;
  predictions: string;
  /** The config that it was made with: with another one it is made anew. */
  config: string;
}

/** The settings that all cells share, as the config of LEAF that is measured takes them. */
export interface Setup {
  out: string;
  leaf: string;
  base: Tree;
  /** What is set for one arm alone, over its own settings. */
  settingsOf(arm: string): Tree[];
  /** Images of the training split, near enough for a share to give a count. */
  training: number;
}

/** A config that this LEAF does not know: the arm is not measured, and the table says so. */
export class NotInThisLeaf extends Error {}

/** The configs that a cell is tried with, the newest first. */
export function configsOf({ base, training, settingsOf }: Setup, arm: Arm, cell: Cell): string[] {
  const ratio = cell.count === null ? 1 : Math.min(1, cell.count / training);
  const seeds = {
    split: { seed: cell.split },
    distill: { seed: cell.split },
    calibrate: { seed: cell.draw, ratio },
  };
  return arm.sets.map((set) =>
    stringify([seeds, set, ...settingsOf(arm.id)].reduce<Tree>((all, one) => merged(all, one) as Tree, base)),
  );
}

/** Carries out one cell by the `leaf` command; stages that others have done are not done again. */
export async function runCell(setup: Setup, arm: Arm, cell: Cell): Promise<void> {
  let unknown: unknown;
  for (const config of configsOf(setup, arm, cell)) {
    try {
      await runAs(setup, arm, config, cell);
      return;
    } catch (error) {
      if (!(error instanceof NotInThisLeaf)) throw error;
      unknown ??= error;
    }
  }
  throw unknown;
}

async function runAs(setup: Setup, arm: Arm, config: string, cell: Cell): Promise<void> {
  const name = nameOf(cell);
  const file = `${name}.leaf.yaml`;
  await writeFile(path.join(setup.out, file), config);
  const leaf = <T>(...args: string[]) => runLeaf<T>(setup, [...args, "--config", file]);
  if (arm.distils) {
    await leaf("label");
    await leaf("distill");
  }
  const calibrated =
    arm.stage === "calibrate"
      ? await leaf<{ images: number; durationS: number; from?: string }>("calibrate")
      : undefined;
  const dir = path.join(setup.out, "cells");
  const predictions = path.join(dir, `${name}.csv`);
  const stage = calibrated ? "calibrate" : "distill";
  const { run } = await leaf<{ run: string }>("evaluate", "--stage", stage);
  const evaluated = await readFile(await predictionsOf(setup.out, run, stage), "utf8");
  if (arm.stage === "teacher") {
    const labels = path.join(setup.out, "labels");
    await leaf("export", "labels", "--out", labels, "--force");
    await writeWhole(predictions, await scoredByTeacher(evaluated, path.join(labels, "points.csv")));
  } else await writeWhole(predictions, evaluated);
  // `leaf clean` may take a stage away: what is measured is kept beside the results.
  const done: DoneCell = {
    ...cell,
    ratings: calibrated?.images ?? 0,
    seconds: calibrated?.durationS ?? null,
    from: calibrated?.from ?? null,
    predictions: path.join("cells", `${name}.csv`),
    config,
  };
  await writeWhole(path.join(dir, `${name}.json`), `${JSON.stringify(done)}\n`);
}

function nameOf({ arm, count, split, draw }: Cell): string {
  return [arm, count ?? "all", split, draw].join("-");
}

async function predictionsOf(out: string, run: string, stage: string): Promise<string> {
  const { stages, distilledEvaluation } = JSON.parse(
    await readFile(path.join(out, ".leaf", "runs", run, "run.json"), "utf8"),
  ) as { stages: { evaluate?: { key: string } }; distilledEvaluation?: string };
  const key = stage === "distill" ? distilledEvaluation : stages.evaluate?.key;
  return path.join(out, ".leaf", "stages", "evaluate", key!, "predictions.csv");
}

/** The student's test images with the teacher's own point-wise scores, on 1..5. */
async function scoredByTeacher(evaluated: string, points: string): Promise<string> {
  const scores = new Map<string, number>();
  const table = await openTable(points);
  const at = ["hash", "score"].map((name) => table.columns.indexOf(name));
  for await (const batch of table.batches(at))
    for (const { cells } of batch) scores.set(String(cells[0]), Number(cells[1]));
  const rows = parse(evaluated, { columns: true }) as { image: string; hash: string; mos: string }[];
  return toCsv(
    ["image", "score", "mos"],
    rows.flatMap(({ image, hash, mos }) => (scores.has(hash) ? [[image, scores.get(hash)!, mos]] : [])),
  );
}

async function runLeaf<T>({ out, leaf }: Setup, args: string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const options = { cwd: out, maxBuffer: 1 << 28 };
    const child = execFile(process.execPath, [leaf, ...args, "--json"], options, (error, stdout) => {
      if (!error) return resolve(JSON.parse(stdout) as T);
      const told = stdout.startsWith("{")
        ? (JSON.parse(stdout) as { error?: { kind: string; message: string } }).error
        : undefined;
      const words = `leaf ${args.join(" ")}: ${told?.message ?? error.message}`;
      reject(told?.kind === "config" ? new NotInThisLeaf(words) : new Error(words));
    });
    child.stderr?.pipe(process.stderr, { end: false });
  });
}

/** The cells that are done: a run that was cut off goes on behind them, and two runs can share a folder. */
export async function readCells(out: string): Promise<DoneCell[]> {
  const dir = path.join(out, "cells");
  await mkdir(dir, { recursive: true });
  const files = (await readdir(dir)).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(
    files.map(async (name) => JSON.parse(await readFile(path.join(dir, name), "utf8")) as DoneCell),
  );
}

export async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text);
  await rename(`${file}.tmp`, file);
}

export function sameCell(a: Cell, b: Cell): boolean {
  return a.arm === b.arm && a.count === b.count && a.split === b.split && a.draw === b.draw;
}

/** A table of the images with plain columns, from any table that LEAF's reader takes. */
export async function writeScores(
  file: string,
  rows: readonly { image: string; mos: number; group: string }[],
): Promise<void> {
  await writeWhole(
    file,
    toCsv(
      ["image", "mos", "group"],
      rows.map(({ image, mos, group }) => [image, mos, group]),
    ),
  );
}
