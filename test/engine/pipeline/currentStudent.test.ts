import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Project } from "../../../src/engine/config/project.ts";
import { currentStudent, findCurrentStudent, runsOf } from "../../../src/engine/pipeline/currentStudent.ts";
import { listRuns, recordStage, runFor } from "../../../src/engine/pipeline/runs.ts";
import { makeStageDir } from "../../../src/engine/pipeline/stage.ts";
import { reportedRun } from "../../../src/engine/report/collect.ts";
import { currentScorer } from "../../../src/engine/scoring/currentScorer.ts";
import { chosenStudent } from "../../../src/engine/scoring/score.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const card = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../fixtures/student/student.json"), "utf8"),
) as object;

async function trained(project: Project, stage: "distill" | "calibrate", key: string): Promise<string> {
  const dir = await makeStageDir(project, stage, key);
  writeFileSync(path.join(dir, "student.onnx"), "onnx");
  writeFileSync(path.join(dir, "student.json"), JSON.stringify({ ...card, stage }));
  const run = await runFor(project, { [stage]: key });
  await recordStage(project, run, stage, { key, seconds: 1, result: {} });
  return run.id;
}

test("every door takes the student of its own config, never a newer one of another config or of an experiment", async () => {
  const root = temporaryFolder();
  const own = liveProject(root);
  const other = {
    ...liveProject(root, { distill: { epochs: 3 } }),
    configFile: path.join(root, "other.yaml"),
  };
  const trial = {
    ...liveProject(root, { distill: { epochs: 4 } }),
    configFile: path.join(root, "ablation.experiment.yaml"),
    experiment: { name: "ablation", arm: "a", seed: 0 },
  };
  expect(await findCurrentStudent(own)).toBeUndefined();
  await expect(chosenStudent(own)).rejects.toMatchObject({
    code: "failed",
    message: "leaf.yaml has no student yet.",
  });
  const first = await trained(own, "distill", "d1");
  await trained(other, "calibrate", "c2");
  await trained(trial, "calibrate", "c3");
  const runs = await listRuns(own);
  expect(runsOf(own, runs).map(({ id }) => id)).toEqual([first]);
  expect(currentStudent(own, runs)).toMatchObject({ run: { id: first }, stage: "distill", key: "d1" });
  expect(await chosenStudent(own)).toMatchObject({ run: first, config: "leaf.yaml" });
  expect(await currentScorer(own, runs, "embedded")).toMatchObject({
    kind: "student",
    fingerprint: "distill-d1",
    run: first,
  });
  expect((await reportedRun(own)).id).toBe(first);
  expect(await chosenStudent(other)).toMatchObject({ run: "r2", config: "other.yaml" });
  // Calibrated goes before distilled, and a run that was worked on again before one that is only younger.
  const calibrated = await trained(own, "calibrate", "c1");
  expect(calibrated).toBe(first);
  expect(await findCurrentStudent(own)).toMatchObject({ stage: "calibrate", key: "c1" });
  // A student that is named by its folder is taken as it is.
  expect(await chosenStudent(undefined, "somewhere")).toEqual({
    folder: "somewhere",
    run: null,
    config: null,
  });
});
