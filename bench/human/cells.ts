import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { merged, nested, type Tree } from "../../src/engine/experiments/overrides.ts";
import { toCsv } from "../../src/engine/tables/csvText.ts";
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
}

/** The settings that all cells share, as the config of LEAF that is measured takes them. */
export interface Setup {
  out: string;
  leaf: string;
  base: Tree;
  /** Images of the training split, near enough for a share to give a count. */
  training: number;
}

/** A config that this LEAF does not know: the arm is not measured, and the table says so. */
export class NotInThisLeaf extends Error {}

/** Carries out one cell by the `leaf` command; stages that others have done are not done again. */
export async function runCell(setup: Setup, arm: Arm, cell: Cell): Promise<DoneCell> {
  const ratio = cell.count === null ? 1 : Math.min(1, cell.count / setup.training);
  const config = [
    {
      "split.seed": cell.split,
      "distill.seed": cell.split,
      "calibrate.seed": cell.draw,
      "calibrate.ratio": ratio,
    },
    arm.set,
  ].reduce<Tree>((all, set) => merged(all, nested(set)) as Tree, setup.base);
  const name = nameOf(cell);
  const file = `${name}.leaf.yaml`;
  await writeFile(path.join(setup.out, file), stringify(config));
  const leaf = <T>(...args: string[]) => runLeaf<T>(setup, [...args, "--config", file]);
  const stage = arm.ratings ? "calibrate" : "distill";
  // `calibrate` says itself what it lacks; a start from the backbone lacks nothing.
  if (arm.distils) {
    await leaf("label");
    await leaf("distill");
  }
  const calibrated = arm.ratings
    ? await leaf<{ images: number; durationS: number; from?: string }>("calibrate")
    : undefined;
  const { run } = await leaf<{ run: string }>("evaluate", "--stage", stage);
  const dir = path.join(setup.out, "cells");
  await copyPredictions(setup.out, run, stage, path.join(dir, `${name}.csv`));
  const done: DoneCell = {
    ...cell,
    ratings: calibrated?.images ?? 0,
    seconds: calibrated?.durationS ?? null,
    from: calibrated?.from ?? null,
    predictions: path.join("cells", `${name}.csv`),
  };
  await writeWhole(path.join(dir, `${name}.json`), `${JSON.stringify(done)}\n`);
  return done;
}

function nameOf({ arm, count, split, draw }: Cell): string {
  return [arm, count ?? "all", split, draw].join("-");
}

/** `leaf clean` may take a stage away, so what is measured is kept beside the results. */
async function copyPredictions(out: string, run: string, stage: string, to: string): Promise<void> {
  const { stages, distilledEvaluation } = JSON.parse(
    await readFile(path.join(out, ".leaf", "runs", run, "run.json"), "utf8"),
  ) as { stages: { evaluate?: { key: string } }; distilledEvaluation?: string };
  const key = stage === "distill" ? distilledEvaluation : stages.evaluate?.key;
  const text = await readFile(path.join(out, ".leaf", "stages", "evaluate", key!, "predictions.csv"), "utf8");
  await writeWhole(to, text);
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
