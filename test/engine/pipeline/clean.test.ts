import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { tryProcessLock } from "../../../src/engine/base/processLock.ts";
import type { Project } from "../../../src/engine/config/project.ts";
import { useCache } from "../../../src/engine/dataset/cacheUse.ts";
import { cleanStages } from "../../../src/engine/pipeline/clean.ts";
import { holdingStage } from "../../../src/engine/pipeline/lock.ts";
import { recordStage, runFor } from "../../../src/engine/pipeline/runs.ts";
import { stageDir } from "../../../src/engine/pipeline/stage.ts";
import type { StageName } from "../../../src/protocol/results.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { nodeChild } from "../../support/nodeChild.ts";
import { temporaryFolder } from "../../support/pictures.ts";

function putStage(project: Project, stage: StageName, key: string): string {
  const dir = stageDir(project, stage, key);
  mkdirSync(path.join(dir, "checkpoints"), { recursive: true });
  writeFileSync(path.join(dir, "checkpoints", "last.pt"), "weights");
  writeFileSync(path.join(dir, "result.json"), "{}");
  return dir;
}

/** Does something with the engine in a process of its own, says `here` in the midst of it, and stays. */
const staying = (module: string, call: string) =>
  nodeChild(
    `const { ${call.split("(")[0]} } = await import(engine + "/${module}");
    const stay = () => { console.log("here"); return new Promise((resolve) => setTimeout(resolve, 600_000)); };
    globalThis.held = await ${call};
    await stay();`,
  );

const trains = (project: Project, key: string) =>
  staying("pipeline/lock.ts", `holdingStage(${JSON.stringify(project)}, "distill", "${key}", stay)`);

test("a training that runs keeps its folder, with its checkpoints; it goes once it is killed", async () => {
  const project = liveProject(temporaryFolder());
  const [running, ended] = [putStage(project, "distill", "running"), putStage(project, "distill", "ended")];
  // Of another config in the same folder, such as the arm of an experiment.
  const other = { ...project, configFile: path.join(project.root, "other.leaf.yaml") };
  const training = trains(other, "running");
  await training.line();
  const result = await cleanStages(project, false);
  expect(result.removed).toEqual([path.join("distill", "ended")].map((one) => path.join("stages", one)));
  expect(result.kept).toEqual([
    {
      path: path.join("stages", "distill", "running"),
      reason: expect.stringMatching(new RegExp(`^a process works on it: process ${training.pid}, since `)),
    },
  ]);
  expect([existsSync(path.join(running, "checkpoints", "last.pt")), existsSync(ended)]).toEqual([
    true,
    false,
  ]);
  await training.kill();
  expect((await cleanStages(project, false)).kept).toEqual([]);
  expect(existsSync(running)).toBe(false);
});

test("a stage that begins, is finished and recorded while it is cleaned is whole or not there at all", async () => {
  const project = liveProject(temporaryFolder());
  for (let i = 0; i < 40; i++) putStage(project, "distill", `k${i}`);
  const run = await runFor(project, {});
  let stop = false;
  const cleaning = (async () => {
    while (!stop) await cleanStages(project, false);
  })();
  let [made, refused] = [0, 0];
  for (let i = 0; i < 60; i++) {
    const key = `k${i % 40}`;
    try {
      await holdingStage(project, "distill", key, async (dir) => {
        putStage(project, "distill", key);
        await new Promise((resolve) => setTimeout(resolve, i % 5));
        expect(readdirSync(path.join(dir, "checkpoints"))).toEqual(["last.pt"]);
        await recordStage(project, run, "distill", { key, seconds: 1, result: {} });
      });
      made++;
      expect(existsSync(path.join(stageDir(project, "distill", key), "result.json"))).toBe(true);
    } catch (error) {
      if (!/already running/.test(String(error))) throw error;
      refused++;
    }
  }
  stop = true;
  await cleaning;
  expect(made + refused).toBe(60);
  expect(made).toBeGreaterThan(0);
});

test("two at once remove everything once, and neither fails", async () => {
  const project = liveProject(temporaryFolder());
  for (let i = 0; i < 30; i++) putStage(project, "label", `k${i}`);
  const clean = () => staying("pipeline/clean.ts", `cleanStages(${JSON.stringify(project)}, true)`);
  const others = [clean(), clean()];
  const own = await cleanStages(project, true);
  await Promise.all(others.map((one) => one.line()));
  expect(own.kept).toEqual([]);
  expect(readdirSync(path.join(project.stages, "label"))).toEqual([]);
});

test("the cache stays while something reads it, and says so; tensors that no training reads go", async () => {
  const project = liveProject(temporaryFolder());
  const tensors = path.join(project.cache, "tensors");
  for (const key of ["read", "unread"]) {
    mkdirSync(path.join(tensors, key), { recursive: true });
    writeFileSync(path.join(tensors, key, "pixels.u8"), "pixels");
  }
  writeFileSync(path.join(project.cache, "scores.sqlite"), "scores");
  const reader = staying("dataset/cacheUse.ts", `useCache(${JSON.stringify(project)})`);
  await reader.line();
  const training = staying(
    "base/processLock.ts",
    `tryProcessLock(${JSON.stringify(path.join(tensors, "read.lock"))}, "shared")`,
  );
  await training.line();
  const result = await cleanStages(project, true);
  expect(result.removed).toEqual([path.join("cache", "tensors", "unread")]);
  expect(result.kept).toEqual([
    { path: path.join("cache", "tensors", "read"), reason: "a training reads it" },
    { path: "cache", reason: "a stage uses it, or an editor window that shows this folder" },
  ]);
  expect(existsSync(path.join(project.cache, "scores.sqlite"))).toBe(true);
  await reader.kill();
  await training.kill();
  expect((await cleanStages(project, true)).kept).toEqual([]);
  expect(existsSync(project.cache)).toBe(false);
});

test("who wants the cache waits until it is removed", async () => {
  const project = liveProject(temporaryFolder());
  mkdirSync(project.cache, { recursive: true });
  const cleaning = tryProcessLock(path.join(project.leaf, "cache.lock"))!;
  let has = false;
  const waiting = useCache(project).then((lock) => {
    has = true;
    return lock;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(has).toBe(false);
  cleaning.release();
  (await waiting).release();
});

test("nothing is removed where a run cannot be read: it may need it", async () => {
  const project = liveProject(temporaryFolder());
  const dir = putStage(project, "distill", "abc");
  const run = await runFor(project, {});
  await recordStage(project, run, "distill", { key: "abc", seconds: 1, result: {} });
  const file = path.join(project.runs, run.id, "run.json");
  writeFileSync(file, '{ "v": 1, "id": "r1", "sta');
  await expect(cleanStages(project, false)).rejects.toMatchObject({ code: "failed", file });
  expect(existsSync(dir)).toBe(true);
});

test("of a link the link goes, and nothing of what it leads to", async () => {
  const project = liveProject(temporaryFolder());
  const elsewhere = temporaryFolder();
  writeFileSync(path.join(elsewhere, "photo.jpg"), "a photo");
  mkdirSync(path.join(project.stages, "label"), { recursive: true });
  symlinkSync(elsewhere, path.join(project.stages, "label", "abc"));
  const inside = putStage(project, "distill", "abc");
  symlinkSync(elsewhere, path.join(inside, "link"));
  expect((await cleanStages(project, false)).removed).toHaveLength(2);
  expect(readdirSync(elsewhere)).toEqual(["photo.jpg"]);
  expect(readdirSync(path.join(project.stages, "label"))).toEqual([]);
});
