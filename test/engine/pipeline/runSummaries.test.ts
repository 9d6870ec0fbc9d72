import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Project } from "../../../src/engine/config/project.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import {
  flatSettings,
  pinRun,
  runConfigText,
  runCurves,
  summariseRuns,
} from "../../../src/engine/pipeline/runSummaries.ts";
import { listRuns, recordStage, runFor } from "../../../src/engine/pipeline/runs.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

async function threeRuns(): Promise<Project> {
  const root = temporaryFolder();
  const first = liveProject(root, { distill: { epochs: 20 } });
  const run = await runFor(first, { distill: "d1" });
  await recordStage(first, run, "distill", {
    key: "d1",
    seconds: 60,
    result: { run: run.id, teacherAgreement: { n: 10, srcc: 0.9, plcc: 0.8 } },
  });
  await recordStage(first, run, "calibrate", { key: "c1", seconds: 5, result: { images: 18 } });
  await recordStage(first, run, "evaluate", { key: "e1", seconds: 1, result: { srcc: 0.86, n: 12 } });
  const other = { ...liveProject(root, { images: "other" }), configFile: path.join(root, "other.leaf.yaml") };
  await runFor(other, {});
  await runFor(liveProject(root, { distill: { epochs: 30 }, student: { model: "atto" } }), {});
  return first;
}

describe("run summaries", () => {
  it("come newest first, each with what changed since the run before of its own config", async () => {
    const project = await threeRuns();
    const runs = await summariseRuns(project, await listRuns(project));
    expect(runs.map(({ id, state, previous, changes }) => ({ id, state, previous, changes }))).toEqual([
      {
        id: "r3",
        // Nobody works on it.
        state: "cancelled",
        previous: "r1",
        changes: [
          { key: "student.model", before: "facebook/convnext-base-224-22k-1k", after: "atto" },
          { key: "distill.epochs", before: 20, after: 30 },
        ],
      },
      { id: "r2", state: "cancelled", previous: null, changes: [] },
      { id: "r1", state: "done", previous: null, changes: [] },
    ]);
    expect(runs[1]!.config).toMatch(/^file:\/\/\/.*\/other\.leaf\.yaml$/);
    expect(runs[2]).toMatchObject({
      ratings: 18,
      agreement: { n: 10, srcc: 0.9, plcc: 0.8 },
      evaluation: { run: "r1", srcc: 0.86, n: 12 },
      seconds: 66,
      settings: { "distill.epochs": "20", "student.input.crop": "224", "teacher.kind": "embedded" },
    });
    expect(runs[0]).toMatchObject({ ratings: null, agreement: null, evaluation: null, seconds: 0 });
  });

  it("are none where nothing has run", async () => {
    const project = liveProject(temporaryFolder());
    expect(await summariseRuns(project, await listRuns(project))).toEqual([]);
  });

  it("keep pins, and forget those of deleted runs", async () => {
    const project = await threeRuns();
    const pinned = async () =>
      (await summariseRuns(project, await listRuns(project)))
        .filter((run) => run.pinned)
        .map((run) => run.id);
    await pinRun(project, "r1", true);
    await pinRun(project, "r3", true);
    expect(await pinned()).toEqual(["r3", "r1"]);
    rmSync(path.join(project.runs, "r3"), { recursive: true });
    await pinRun(project, "r2", true);
    await pinRun(project, "r1", false);
    expect(await pinned()).toEqual(["r2"]);
    await expect(pinRun(project, "r9", true)).rejects.toThrow("There is no run r9.");
    writeFileSync(path.join(project.leaf, "pins.json"), "{ damaged");
    expect(await pinned()).toEqual([]);
  });

  it("read the curves of whole epochs, whatever a killed trainer left", async () => {
    const project = await threeRuns();
    const dir = path.join(project.stages, "distill", "d1");
    mkdirSync(dir, { recursive: true });
    const line = (epoch: number, step: number, loss: number, val: unknown) =>
      JSON.stringify({ v: 1, type: "metrics", epoch, step, loss, parts: { point: loss / 2 }, lr: 1, val });
    writeFileSync(
      path.join(dir, "metrics.jsonl"),
      [
        line(1, 50, 9, null),
        line(1, 80, 2, { n: 5, srcc: 0.5, plcc: null }),
        line(2, 130, 8, null),
        line(2, 160, 1, { n: 5, srcc: 0.7, plcc: 0.6 }),
        '{"v": 1, "type": "metr',
      ].join("\n"),
    );
    expect(await runCurves(project, "r1")).toEqual({
      distill: [
        { epoch: 1, loss: 2, parts: { point: 1 }, srcc: 0.5, plcc: null },
        { epoch: 2, loss: 1, parts: { point: 0.5 }, srcc: 0.7, plcc: 0.6 },
      ],
      calibrate: [],
    });
  });

  it("give a run's config back as a config that means the same", async () => {
    const project = await threeRuns();
    const parsed = parseConfig(await runConfigText(project, "r1"));
    expect(parsed).toEqual({ ok: true, config: project.config });
  });

  it("flatten settings, with lists whole", () => {
    expect(
      flatSettings({ images: ["a", "!b"], split: { groupBy: null, test: 0.2 }, mos: undefined }),
    ).toEqual({
      images: '["a","!b"]',
      "split.groupBy": "null",
      "split.test": "0.2",
      mos: "",
    });
  });
});
