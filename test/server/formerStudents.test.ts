import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Project } from "../../src/engine/config/project.ts";
import { stageDir } from "../../src/engine/pipeline/stage.ts";
import type { ScorerProcess } from "../../src/engine/scoring/process.ts";
import { liveImages } from "../../src/server/liveImages.ts";
import {
  embeddedScorer,
  hashOf,
  liveContext,
  liveProject,
  putIndex,
  putScores,
} from "../support/liveWorld.ts";
import { temporaryFolder } from "../support/pictures.ts";

const card = JSON.parse(readFileSync("test/fixtures/student/student.json", "utf8"));

/** A run as the stages leave it, with its students. */
function putRun(
  project: Project,
  id: string,
  configFile: string,
  updated: string,
  keys: { distill?: string; calibrate?: string },
) {
  const stages: Record<string, object> = {};
  for (const [stage, key] of Object.entries(keys) as ["distill" | "calibrate", string][]) {
    stages[stage] = { key, seconds: 1, result: {} };
    const dir = stageDir(project, stage, key);
    mkdirSync(dir, { recursive: true });
    writeFileSync(path.join(dir, "student.onnx"), "");
    writeFileSync(path.join(dir, "student.json"), JSON.stringify({ ...card, stage }));
  }
  const run = {
    v: 1,
    id,
    configFile,
    configHash: "0",
    config: {},
    created: updated,
    updated,
    state: "done",
    stages,
  };
  mkdirSync(path.join(project.runs, id), { recursive: true });
  writeFileSync(
    path.join(project.runs, id, "run.json"),
    JSON.stringify({ ...run, versions: {}, gitCommit: null }),
  );
}

it("scores of former students go when a project is opened, and those that any config needs stay", async () => {
  const project = liveProject(temporaryFolder());
  const [old, other, now] = ["0".repeat(16), "1".repeat(16), "2".repeat(16)];
  putRun(project, "r1", "leaf.yaml", "2026-01-01T00:00:00.000Z", { distill: old, calibrate: old });
  putRun(project, "r2", "other.yaml", "2026-01-02T00:00:00.000Z", { distill: other });
  putRun(project, "r3", "leaf.yaml", "2026-01-03T00:00:00.000Z", { distill: now, calibrate: now });
  putIndex(project, [{ path: "photos/a.jpg", hash: hashOf(1) }]);
  const scorers = [
    "t",
    "another-teacher",
    ...[old, other, now].flatMap((key) => [`distill-${key}`, `calibrate-${key}`]),
  ];
  for (const scorer of scorers) putScores(project, scorer, [[hashOf(1), 3]]);
  const errors: unknown[] = [];
  const images = liveImages({} as ScorerProcess, {
    onScores() {},
    onChanged() {},
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => images.close());
  await images.update(liveContext(project, { scorer: embeddedScorer }), false);

  const db = new DatabaseSync(path.join(project.cache, "scores.sqlite"), { readOnly: true });
  onTestFinished(() => db.close());
  const left = () =>
    db
      .prepare("SELECT DISTINCT scorer FROM scores ORDER BY scorer")
      .all()
      .map((row) => row.scorer);
  const kept = ["another-teacher", `calibrate-${now}`, `distill-${other}`, `distill-${now}`, "t"];
  await vi.waitFor(() => expect(left()).toEqual(kept));
  expect(errors).toEqual([]);
});
