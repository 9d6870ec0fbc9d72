import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TeacherReliability } from "../../src/protocol/reliability.ts";
import type { EvaluateResult, Metrics, RunRecord } from "../../src/protocol/results.ts";
import { leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

// A run that has labelled with the embedded teacher, and the figures of an evaluation written beside: nothing is trained.
const { dir, remove } = temporaryFolder();
beforeAll(async () => {
  await makeWorkspace(dir, 24);
  await leafJson(dir, "label");
}, 120_000);
afterAll(remove);

const metrics: Metrics = {
  n: 7,
  srcc: 0.5,
  plcc: 0.5,
  plccLogistic: null,
  krcc: 0.4,
  rmse: 0.9,
  ci95: { srcc: [0.1, 0.8], plcc: null },
};

async function report(): Promise<string> {
  await leafJson(dir, "report", "r1", "--out", "report.html");
  return readFileSync(path.join(dir, "report.html"), "utf8");
}

test("tells the teacher's reliability as `leaf reliability` does, and the evaluation's findings and other datasets", async () => {
  const file = path.join(dir, ".leaf/runs/r1/run.json");
  const run = JSON.parse(readFileSync(file, "utf8")) as RunRecord;
  const evaluation: EvaluateResult = {
    ...metrics,
    run: "r1",
    split: "test",
    student: "calibrate",
    failed: 0,
    findings: [
      { code: "poorTransfer", message: "SRCC 0.50 here, 0.11 on koniq.", remedy: "Rate images of both." },
    ],
    transfer: {
      datasets: ["koniq.leaf.yaml"],
      rows: [{ student: "calibrate", cells: [{ ...metrics, srcc: 0.111, failed: 0, seen: 0, far: 3 }] }],
    },
  };
  run.stages.evaluate = { key: "gone", seconds: 1, result: evaluation };
  writeFileSync(file, JSON.stringify(run));
  const page = await report();
  const { pairs, points, rated } = await leafJson<TeacherReliability>(dir, "reliability");
  const others = await Promise.all(
    ["val", "test"].map((split) => leafJson<TeacherReliability>(dir, "reliability", "--split", split)),
  );
  // The scores of test images are not looked at unless that is asked for.
  expect(rated).toBeLessThan(24);
  expect(others.reduce((sum, other) => sum + other.rated, rated)).toBe(24);
  for (const { n, ece, brier } of [pairs!, points!])
    expect(page).toMatch(
      new RegExp(`<td>${n}</td><td>[\\d.]+ %</td><td>${ece.toFixed(3)}</td><td>${brier.toFixed(3)}</td>`),
    );
  expect(page).toContain("SRCC 0.50 here, 0.11 on koniq.");
  expect(page).toContain("Rate images of both.");
  expect(page).toContain("koniq.leaf.yaml");
  expect(page).toContain("0.111");
  expect(page).not.toContain(dir);
});

test("leaves the teacher out where its labels, then its human scores, are gone", async () => {
  for (const name of readdirSync(path.join(dir, ".leaf")).filter((one) => one.startsWith("labels.sqlite")))
    rmSync(path.join(dir, ".leaf", name));
  expect(await report()).not.toContain("Is the teacher right?");
  rmSync(path.join(dir, "mos.csv"));
  const page = await report();
  expect(page).toContain("SRCC 0.50 here");
  expect(page).not.toContain("Is the teacher right?");
});

test("says what is wrong with where it is to be written", async () => {
  const { code, stderr } = await leaf(dir, "report", "r1", "--out", "photos");
  expect(code).toBe(1);
  expect(stderr).toContain("leaf: Cannot write photos: it is a folder.\n  Name a file.");
});
