import { appendFileSync, cpSync, rmSync } from "node:fs";
import path from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { withOneKilled } from "./killing.ts";
import { type Ended, leaf } from "./leaf.ts";
import type { Tell } from "./table.ts";

interface Labelled {
  points: { labelled: number; failed: number };
  pairs: { labelled: number; failed: number };
}

/** Points and pairs of the embedded teacher: `leaf label`, and Ray with one worker and two. Each has a project of its own. */
export async function benchLabels(dir: string, tell: Tell): Promise<void> {
  appendFileSync(path.join(dir, "leaf.yaml"), "teacher: { kind: embedded }\n");
  const label = async (name: string, args: string[], options: Parameters<typeof leaf>[1] = {}) => {
    const cwd = path.join(dir, "..", `${path.basename(dir)}-${name}`);
    cpSync(dir, cwd, { recursive: true });
    try {
      const ended = await leaf(["label", "--json", ...args], { cwd, ...options });
      return { ended, labels: await labelsIn(cwd), again: await again(cwd, args, options.env) };
    } finally {
      rmSync(cwd, { recursive: true });
    }
  };
  const plain = await label("plain", []);
  tell("leaf label", plain.ended.seconds, amounts(plain.ended));
  const told = ({ ended, labels, again }: typeof plain) =>
    `${amounts(ended)}, ${compared(labels, plain.labels)}; again: ${again}`;
  for (const workers of [1, 2]) {
    const one = await label(`ray-${workers}`, ["--engine", "ray", "--workers", String(workers)]);
    tell(`ray, ${workers} workers`, one.ended.seconds, told(one));
  }
  let found: typeof plain | undefined;
  const cut = await withOneKilled(async (address, options) => {
    found = await label("nodes", ["--engine", "ray", ...address], options);
    return found.ended;
  });
  tell(`ray, two nodes, one ${cut.killed ? "killed" : "NOT killed"}`, cut.seconds, told(found!));
}

function amounts({ stdout }: Ended): string {
  const { points, pairs } = JSON.parse(stdout) as Labelled;
  return `${points.labelled} points and ${pairs.labelled} pairs judged, ${points.failed + pairs.failed} failed`;
}

/** What the same command does after it. */
async function again(cwd: string, args: string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const ended = await leaf(["label", "--json", ...args], { cwd, env });
  const { points, pairs } = JSON.parse(ended.stdout) as Labelled;
  return `${points.labelled + pairs.labelled} asked (${ended.whole.toFixed(1)} s)`;
}

/** Each label as a line, without when it came. */
async function labelsIn(cwd: string): Promise<string[]> {
  await leaf(["labels", "export", "labels"], { cwd });
  const lines: string[] = [];
  for (const name of ["points.parquet", "pairs.parquet"]) {
    const file = await asyncBufferFromFile(path.join(cwd, "labels", name));
    for (const row of await parquetReadObjects({ file })) lines.push(lineOf(name, row));
  }
  return lines;
}

function lineOf(name: string, row: Record<string, unknown>): string {
  return JSON.stringify([name, row], (key, value) =>
    key === "createdAt" ? undefined : typeof value === "bigint" ? String(value) : value,
  );
}

function compared(labels: string[], plain: string[]): string {
  const known = new Set(plain);
  const same = labels.filter((one) => known.has(one)).length;
  return `${labels.length} labels, ${new Set(labels).size} different ones, ${same} of ${plain.length} equal`;
}
