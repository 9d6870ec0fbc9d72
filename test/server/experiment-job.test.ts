import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageConnection } from "vscode-languageserver/node";
import type { JobSnapshot } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { ParamsOf, ResultOf, ServerMethod } from "../../src/protocol/server.ts";
import { fileOf, uriOf } from "../../src/server/uris.ts";
import { makeWorkspace } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// The built server over its real connection. The teacher alone is compared: no training.
const dir = mkdtempSync(path.join(tmpdir(), "leaf-experiment-job-"));
const { until, look } = conditions();
const heard: JobSnapshot[] = [];
let projects: ProjectSnapshot[] = [];
let connection: MessageConnection;
let stop: () => Promise<void>;
const ask = <M extends ServerMethod>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> =>
  connection.sendRequest(method, params);

beforeAll(async () => {
  await makeWorkspace(dir, 16);
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      projects = told.projects;
      look();
    });
    one.onNotification("leaf/jobEvents", ({ job }: { job: JobSnapshot }) => {
      heard.push(job);
      look();
    });
  }));
  await until(() => projects.some(({ invalid }) => invalid === null));
});
afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

test("a preset is written beside the config", async () => {
  expect(await ask("leaf/experimentPresets", {})).toContain("components");
  const { experiment } = await ask("leaf/newExperiment", {
    config: uriOf(path.join(dir, "leaf.yaml")),
    preset: "components",
  });
  expect(fileOf(experiment)).toBe(path.join(dir, "components.experiment.yaml"));
  expect(await ask("leaf/experiment", { experiment })).toMatchObject({ done: 0, total: 15, markdown: null });
});

test("an experiment runs as a job of its base config, with its progress and its table", {
  timeout: 180_000,
}, async () => {
  const file = path.join(dir, "who.experiment.yaml");
  writeFileSync(
    file,
    "stage: teacher\narms: { all: {}, few pairs: { label.pairsPerImage: 2 } }\ncompare: all\n",
  );
  const experiment = uriOf(file);
  const config = uriOf(path.join(dir, "leaf.yaml"));
  const job = await ask("leaf/startExperiment", { experiment });
  expect(job).toMatchObject({ kind: "experiment", config, experiment, state: "running" });
  await until(() => heard.some(({ id, state }) => id === job.id && state !== "running"));
  expect(heard.at(-1)).toMatchObject({ state: "done", failure: null, experiment });
  const overall = heard.flatMap(({ progress }) => progress?.overall ?? []);
  expect(overall.length).toBeGreaterThan(0);
  expect(overall.every(({ total }) => total === 2)).toBe(true);
  const view = await ask("leaf/experiment", { experiment });
  expect(view).toMatchObject({ name: "who", done: 2, failed: 0, total: 2, stale: false, invalid: null });
  expect(view.markdown).toContain("| few pairs | 0 | 1 |");
  // Pairs change nothing of the teacher's point-wise scores.
  expect(view.result!.arms[1]!.versus!.tests.srcc).toMatchObject({ difference: 0, p: 1 });
  expect(await ask("leaf/runs", { config })).toEqual([]);
});

test("a config lists its own experiments, those that cannot be read, and none of another config", async () => {
  const config = uriOf(path.join(dir, "leaf.yaml"));
  const broken = path.join(dir, "broken.experiment.yaml");
  writeFileSync(broken, "arms: [\n");
  const otherBase = path.join(dir, "other.leaf.yaml");
  writeFileSync(otherBase, readFileSync(path.join(dir, "leaf.yaml")));
  writeFileSync(path.join(dir, "of-other.experiment.yaml"), "base: other.leaf.yaml\narms: { a: {} }\n");
  const listed = await ask("leaf/experiments", { config });
  expect(listed.map(({ experiment }) => path.basename(fileOf(experiment)))).toEqual([
    "broken.experiment.yaml",
    "components.experiment.yaml",
    "who.experiment.yaml",
  ]);
  expect(listed[0]!.invalid).toContain("broken.experiment.yaml");
  expect(listed[1]).toMatchObject({ rows: 5, done: 0, total: 15, invalid: null, updated: null });
  expect(listed[2]).toMatchObject({ rows: 2, done: 2, failed: 0, total: 2, stale: false });
  expect(Date.parse(listed[2]!.updated!)).toBeGreaterThan(Date.now() - 600_000);
  expect((await ask("leaf/experiments", { config: uriOf(otherBase) })).map(({ name }) => name)).toEqual([
    "broken",
    "of-other",
  ]);

  writeFileSync(path.join(dir, "who.experiment.yaml"), "stage: teacher\narms: { all: {} }\n");
  const [changed] = (await ask("leaf/experiments", { config })).slice(-1);
  expect(changed).toMatchObject({ name: "who", stale: true, done: 0, total: 1 });
});

test("its table is text in each format; before the first run it says so", async () => {
  const text = async (format: "markdown" | "latex" | "csv") =>
    (await ask("leaf/experimentText", { experiment: uriOf(path.join(dir, "who.experiment.yaml")), format }))
      .text;
  expect(await text("markdown")).toMatch(/^\| arm \|[\s\S]*\| few pairs \| 0 \| 1 \|/);
  expect(await text("latex")).toContain("\\begin{tabular}");
  expect((await text("csv")).split("\n")[1]).toMatch(/^all,0,1,1,/);
  const experiment = uriOf(path.join(dir, "components.experiment.yaml"));
  await expect(ask("leaf/experimentText", { experiment, format: "csv" })).rejects.toMatchObject({
    data: { code: "input", message: "components.experiment.yaml has not been run yet." },
  });
});

test("no other file is read as one", async () => {
  const experiment = uriOf(path.join(dir, "mos.csv"));
  for (const asked of [
    ask("leaf/experiment", { experiment }),
    ask("leaf/startExperiment", { experiment }),
    ask("leaf/experimentText", { experiment, format: "csv" }),
  ])
    await expect(asked).rejects.toMatchObject({
      data: { code: "input", message: "mos.csv is no experiment." },
    });
});

test("a report of a config without runs, and of a run that is none, is refused with the way out", async () => {
  const config = uriOf(path.join(dir, "leaf.yaml"));
  const out = path.join(dir, "report.html");
  await expect(ask("leaf/report", { config, run: "--help", out: uriOf(out) })).rejects.toMatchObject({
    data: { code: "input", message: "There is no run --help." },
  });
  await expect(ask("leaf/report", { config, out: uriOf(out) })).rejects.toMatchObject({
    data: {
      message: expect.stringContaining("There is no run of leaf.yaml yet."),
      remedy: "Run `leaf run` first.",
    },
  });
  expect(existsSync(out)).toBe(false);
});

test("a report is written where it was asked for", { timeout: 120_000 }, async () => {
  const config = uriOf(path.join(dir, "leaf.yaml"));
  const job = await ask("leaf/start", { config, kind: "label" });
  await until(() => heard.some(({ id, state }) => id === job.id && state === "done"));
  const [run] = await ask("leaf/runs", { config });
  const out = path.join(dir, "a report é.html");
  expect(await ask("leaf/report", { config, run: run!.id, out: uriOf(out) })).toEqual({
    run: run!.id,
    file: out,
  });
  expect(readFileSync(out, "utf8")).toContain("Is the teacher right?");
});

test("a file that is no right experiment is refused with its place", async () => {
  const file = path.join(dir, "wrong.experiment.yaml");
  writeFileSync(file, "arms: { a: { distil.epochs: 3 } }\n");
  await expect(ask("leaf/startExperiment", { experiment: uriOf(file) })).rejects.toMatchObject({
    data: {
      code: "config",
      file,
      line: 1,
      column: 14,
      message: expect.stringContaining("did you mean `distill`?"),
    },
  });
});
