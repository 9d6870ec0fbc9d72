import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExperimentResult } from "../../src/protocol/experiments.ts";
import type { RunRecord } from "../../src/protocol/results.ts";
import { inEnglish } from "../../src/words/text.ts";
import { leaf, leafJson, makeWorkspace, startLeaf, temporaryFolder } from "./workspace.ts";

// The real command line on 24 small crops; the tests build on each other.
const { dir, remove } = temporaryFolder();
const cut = temporaryFolder();
beforeAll(async () => {
  await makeWorkspace(dir, 24);
  writeFileSync(path.join(dir, "x.experiment.yaml"), experiment);
  cpSync(dir, cut.dir, { recursive: true });
});
afterAll(() => {
  remove();
  cut.remove();
});

const experiment = `arms:
  teacher: { stage: teacher }
  no MOS: { calibrate.ratio: 0 }
  half: { calibrate.ratio: 0.5 }
  broken: { calibrate: { ratio: 0, from: backbone } }
seeds: [0, 1]
report: [srcc, rmse]
compare: no MOS
`;

const keysOf = (root: string, stage: string) => {
  const folder = path.join(root, ".leaf", "stages", stage);
  return existsSync(folder)
    ? readdirSync(folder).filter((key) => existsSync(path.join(folder, key, "result.json")))
    : [];
};
const counts = (root: string) =>
  ["label", "distill", "calibrate", "evaluate"].map((stage) => keysOf(root, stage).length);
/** When each stage was finished. */
const times = (root: string) =>
  ["label", "distill", "calibrate", "evaluate"].flatMap((stage) =>
    keysOf(root, stage).map(
      (key) => statSync(path.join(root, ".leaf/stages", stage, key, "result.json")).mtimeMs,
    ),
  );
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(condition: () => boolean, timeoutMs = 240_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) if (condition()) return;
  throw new Error("It did not happen in time.");
}
/** Processes whose command line names a folder. */
function processesOf(folder: string): number {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  }).length;
}

let first: ExperimentResult;

test("shared stages run once, a broken arm fails alone, and the rest is compared", {
  timeout: 900_000,
}, async () => {
  first = await leafJson<ExperimentResult>(dir, "experiment", "run", "x");
  // One labelling, one distillation and one calibration a seed, and their four evaluations.
  expect(counts(dir)).toEqual([1, 2, 2, 4]);
  expect([first.done, first.failed, first.total]).toEqual([6, 2, 8]);
  const arm = (name: string) => first.arms.find((one) => one.name === name)!;
  expect(first.arms.map(({ name, ratings }) => [name, ratings])).toEqual([
    ["teacher", 0],
    ["no MOS", 0],
    ["half", 6],
    ["broken", null],
  ]);
  for (const { reason, state } of arm("broken").trials) {
    expect(state).toBe("failed");
    expect(inEnglish(reason!)).toContain("calibrate.ratio 0 leaves 0 of");
  }
  expect(arm("no MOS").trials.map(({ evaluated }) => evaluated)).toEqual(["distill", "distill"]);
  expect(arm("half").means.srcc!.n).toBe(2);
  // Seeds change nothing of the teacher.
  expect(arm("teacher").means.srcc).toMatchObject({ sd: null, n: 1 });
  expect(arm("no MOS").versus).toBeNull();
  const test = arm("half").versus!.tests.srcc!;
  expect(test.difference).toBeCloseTo(arm("half").means.srcc!.mean - arm("no MOS").means.srcc!.mean, 10);
  expect(test.pHolm).toBeGreaterThanOrEqual(test.p);
});

test("its figures are those of its runs, which carry its name and are no runs of leaf.yaml", async () => {
  const { runs } = await leafJson<{ runs: RunRecord[] }>(dir, "runs");
  const half = first.arms.find(({ name }) => name === "half")!;
  for (const { run: id, seed, metrics } of half.trials) {
    const run = runs.find((one) => one.id === id)!;
    expect(run.experiment).toEqual({ name: "x", arm: "half", seed });
    expect(run.stages.evaluate!.result).toMatchObject({ srcc: metrics!.srcc, rmse: metrics!.rmse });
    expect(Object.keys(run.stages).sort()).toEqual(["calibrate", "distill", "evaluate", "label"]);
  }
  const status = await leafJson<{ stages: { stage: string; state: string }[] }>(dir, "status");
  // Seed 0 and the base agree on labels and the distilled student; its own calibration (ratio 0.5) too.
  expect(status.stages.map(({ state }) => state)).toEqual(["fresh", "fresh", "fresh", "fresh"]);
  expect(runs.every(({ experiment }) => experiment?.name === "x")).toBe(true);
  // What an experiment stands on is no waste.
  expect((await leafJson<{ removed: string[] }>(dir, "clean")).removed).toEqual([]);
});

test("a rerun does nothing and tells the same", { timeout: 300_000 }, async () => {
  const before = times(dir);
  const runs = readdirSync(path.join(dir, ".leaf/runs")).length;
  const again = await leafJson<ExperimentResult>(dir, "experiment", "run", "x");
  expect(times(dir)).toEqual(before);
  expect(readdirSync(path.join(dir, ".leaf/runs"))).toHaveLength(runs);
  expect({ ...again, updated: "" }).toEqual({ ...first, updated: "" });
  const { stdout } = await leaf(dir, "experiment", "show", "x", "--format", "csv");
  expect(stdout.split("\n").filter((line) => line !== "")).toHaveLength(5);
  const { experiments } = await leafJson<{ experiments: object[] }>(dir, "experiment", "list");
  expect(experiments).toEqual([
    expect.objectContaining({ name: "x", done: 6, failed: 2, total: 8, stale: false, invalid: null }),
  ]);
});

test("another seed does only what is new; until then the result is told as old", {
  timeout: 600_000,
}, async () => {
  const before = times(dir);
  writeFileSync(
    path.join(dir, "x.experiment.yaml"),
    experiment.replace("seeds: [0, 1]", "seeds: [0, 2]").replace(/ {2}(teacher|broken).*\n/g, ""),
  );
  const { stderr } = await leaf(dir, "experiment", "show", "x");
  expect(stderr).toContain("has changed since this result");
  await leafJson(dir, "experiment", "run", "x", "--jobs", "2");
  expect(counts(dir)).toEqual([1, 3, 3, 6]);
  expect(times(dir)).toEqual(expect.arrayContaining(before));
});

test("killed, it goes on where it was and comes to the same; cancelled, it leaves no process", {
  timeout: 900_000,
}, async () => {
  const killed = startLeaf(cut.dir, ["experiment", "run", "x"]);
  await until(() => keysOf(cut.dir, "evaluate").length > 0);
  killed.child.kill("SIGKILL");
  await killed.done;
  await until(() => processesOf(cut.dir) === 0);
  const done = times(cut.dir);
  expect(counts(cut.dir)).not.toEqual([1, 2, 2, 4]);

  const cancelled = startLeaf(cut.dir, ["experiment", "run", "x"]);
  let training = false;
  cancelled.child.stderr!.on("data", (text: string) => (training ||= text.includes("epoch 1 of")));
  await until(() => training);
  cancelled.child.kill("SIGINT");
  expect((await cancelled.done).code).toBe(130);
  await until(() => processesOf(cut.dir) === 0, 5000);

  const resumed = await leafJson<ExperimentResult>(cut.dir, "experiment", "run", "x");
  expect(counts(cut.dir)).toEqual([1, 2, 2, 4]);
  expect(times(cut.dir)).toEqual(expect.arrayContaining(done));
  const figures = (result: ExperimentResult) =>
    result.arms.map(({ trials }) => trials.map(({ metrics }) => metrics && [metrics.srcc, metrics.rmse]));
  expect(figures(resumed)).toEqual(figures(first));
});
