import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { type Arm, arms, teacherRow } from "./arms.ts";
import { distortions } from "./distort.ts";
import { CommandFailed, runLeaf } from "./leafCommand.ts";
import { columns, figure, type Row, type SeedFigures, tableText, toRow } from "./table.ts";
import { makeWorkspace, truthFile, workspace, writeConfigs } from "./workspace.ts";

/** What `leaf evaluate` and `leaf metrics` print, as far as the demo reads it. */
interface Agreement {
  n: number;
  srcc: number | null;
  plcc: number | null;
  plccLogistic: number | null;
}

const usage = `Usage: npm run demo -- [--full] [--seeds N] [--json] [--verbose]
  --full     three seeds instead of one, and every share of ratings for each arm
  --seeds    so many seeds
  --json     one JSON document on stdout
  --verbose  the teacher's figures for each kind of distortion too`;

/** Runs the demo; returns the exit code. */
export async function main(args: string[]): Promise<number> {
  let options: { full: boolean; json: boolean; verbose: boolean; seeds: number };
  try {
    const off = { type: "boolean", default: false } as const;
    const { values } = parseArgs({
      args,
      options: { full: off, json: off, verbose: off, seeds: { type: "string" } },
    });
    options = { ...values, seeds: Number(values.seeds ?? (values.full ? 3 : 1)) };
    if (!(Number.isInteger(options.seeds) && options.seeds > 0)) throw new Error("no number of seeds");
  } catch {
    console.error(usage);
    return 2;
  }
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
  try {
    await run(options, controller.signal);
    return 0;
  } catch (error) {
    if (controller.signal.aborted) say("stopped.");
    else if (error instanceof CommandFailed) say(error.message);
    else throw error;
    return controller.signal.aborted ? 130 : 1;
  }
}

async function run(
  { full, json, verbose, ...options }: { full: boolean; json: boolean; verbose: boolean; seeds: number },
  signal: AbortSignal,
): Promise<void> {
  const seconds: Record<string, number> = {};
  const seeds = Array.from({ length: options.seeds }, (_, seed) => seed);
  const shown = arms.filter((arm) => full || !arm.full);
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    seconds[what] = round((seconds[what] ?? 0) + (performance.now() - start) / 1000, 1);
    return result;
  };
  const leaf = <T>(...args: string[]) => runLeaf<T>(args, workspace, signal);

  say("making images from the photos, and their truth; meanwhile the Python environment");
  say("(downloads PyTorch the first time; LEAF_PYTHON names one that you have)");
  await mkdir(workspace, { recursive: true });
  await Promise.all([
    timed("images", () =>
      makeWorkspace((done, total) => done % 5 === 0 && say(`${done} of ${total} photos`), signal),
    ),
    timed("environment", () => leaf("env")),
  ]);
  say("leaf label: the embedded teacher judges every image");
  await timed("label", () => leaf("label", "--config", "leaf.yaml"));
  const perKind = await timed("teacher", () => compareTeacher(signal));

  const figures = new Map<string, SeedFigures[]>(shown.map((arm) => [arm.name, []]));
  let n = 0;
  for (const seed of seeds) {
    await writeConfigs(seed);
    for (const arm of shown) {
      say(`seed ${seed}: ${arm.name}`);
      const kind = arm.from === "backbone" ? "CFT only" : arm.stage;
      const result = await timed(kind, () => trainArm(arm, leaf));
      n = result.n;
      figures.get(arm.name)!.push(seedFigures(seed, result));
      say(`seed ${seed}: ${arm.name}: SRCC ${figure(result.srcc ?? 0)} on ${result.n} held-out images`);
    }
  }
  await writeConfigs(0);
  const report = path.join(workspace, "report.html");
  await timed("report", () => leaf("report", "--config", "leaf.yaml", "--out", report, "--force"));

  const all = perKind.get("all")!;
  const rows = [
    toRow(teacherRow, all.n, [seedFigures(0, all)]),
    ...shown.map((arm) => toRow(arm.name, n, figures.get(arm.name)!)),
  ];
  const total = round(
    Object.values(seconds).reduce((sum, one) => sum + one, 0),
    1,
  );
  const { environment = 0, ...parts } = seconds;
  const teacherPerKind = Object.fromEntries(distortions.map((kind) => [kind, perKind.get(kind)!.srcc ?? 0]));
  if (json) {
    const document = {
      rows,
      seconds: round(total - environment, 1),
      environmentSeconds: environment,
      secondsOf: parts,
      plcc: "after the 4-parameter logistic fit",
      teacherSrccPerDistortion: teacherPerKind,
      workspace: path.relative(process.cwd(), workspace),
      report: path.relative(process.cwd(), report),
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else
    process.stdout.write(
      resultText(rows, teacherPerKind, verbose, seeds.length, total - environment, environment, report),
    );
}

/** Trains one arm by the real commands and evaluates it on the test photos. */
async function trainArm(
  { file, stage }: Arm,
  leaf: <T>(...args: string[]) => Promise<T>,
): Promise<Agreement> {
  await leaf(stage, "--config", file);
  return leaf<Agreement>("evaluate", "--config", file, "--stage", stage);
}

/** The teacher's own scores against the truth of the test images: all, and each kind of distortion. */
async function compareTeacher(signal: AbortSignal): Promise<Map<string, Agreement>> {
  const folder = path.join(workspace, "labels");
  await runLeaf(["export", "labels", "--config", "leaf.yaml", "--out", folder], workspace, signal);
  const predictions = path.join(folder, "points.csv");
  const found = new Map<string, Agreement>();
  for (const kind of ["all", ...distortions]) {
    const args = ["metrics", "--predictions", predictions, "--truth", truthFile(kind), "--bootstrap", "0"];
    found.set(kind, await runLeaf<Agreement>(args, workspace, signal));
  }
  return found;
}

/** Scores that are all equal have no correlation; as a predictor they are worth 0. */
function seedFigures(seed: number, { srcc, plcc, plccLogistic }: Agreement): SeedFigures {
  return { seed, srcc: srcc ?? 0, plcc: plccLogistic ?? plcc ?? 0, plccRaw: plcc ?? 0 };
}

function resultText(
  rows: Row[],
  perKind: Record<string, number>,
  verbose: boolean,
  seeds: number,
  seconds: number,
  environment: number,
  report: string,
): string {
  const lines = [
    "",
    tableText(rows),
    "",
    `Held-out photos; ${seeds === 1 ? "one seed" : `mean (lowest–highest) over ${seeds} seeds`}. * after the 4-parameter logistic fit.`,
    "Truth: MS-SSIM with the pristine photo, a stand-in for MOS. % = share of the 495 training images whose stand-in is used.",
    "Training sees no other. The teacher's labels need none: its own validation labels choose the epoch of TGD, and CFT keeps the last.",
    "On human scores (1,500 photos, one draw of 135 ratings, docs/method.md): SRCC .669 in closed form, .534 by fine-tuning, .282 for the first edition of the teacher.",
    `${Math.round(seconds)} s, and ${Math.round(environment)} s for the Python environment. Open ${path.relative(process.cwd(), workspace)} in the editor, or`,
    `${pathToFileURL(report)} in the browser.`,
  ];
  if (verbose) {
    const kinds = Object.entries(perKind).map(([kind, srcc]) => [kind, figure(srcc)]);
    lines.push("", "Teacher's SRCC for each distortion:", columns(kinds));
  }
  return `${lines.join("\n")}\n`;
}

function say(message: string): void {
  process.stderr.write(`demo: ${message}\n`);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
