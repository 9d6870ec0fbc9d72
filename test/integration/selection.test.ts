import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TeacherReliability } from "../../src/protocol/reliability.ts";
import type { CalibrateResult, EvaluateResult } from "../../src/protocol/results.ts";
import type { Refit, SelectResult } from "../../src/protocol/selection.ts";
import { config, leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

// The real command line, trainer and ONNX Runtime: a student that chooses what calibrates it. The tests build on each other.
const { dir, remove } = temporaryFolder();
const images = 48;
const select = (name: string) => config("").replace("calibrate: {", `calibrate: { selection: ${name},`);
beforeAll(async () => {
  await makeWorkspace(dir, images);
  // Every fourth image has no MOS yet.
  const [head, ...rows] = readFileSync(path.join(dir, "mos.csv"), "utf8").trim().split("\n");
  writeFileSync(path.join(dir, "mos.csv"), `${[head, ...rows.filter((_, i) => i % 4 !== 3)].join("\n")}\n`);
  writeFileSync(path.join(dir, "leaf.yaml"), select("kcenter"));
});
afterAll(remove);

interface Pipeline {
  calibrate: CalibrateResult;
  evaluate: EvaluateResult;
}
interface Status {
  stages: { stage: string; state: string; why?: string }[];
}

test("without a distilled student a choice by features is an error with a remedy, a draw is not", async () => {
  const status = await leafJson<Status>(dir, "status");
  expect(status.stages.map((one) => one.state)).toEqual(["missing", "missing", "missing", "missing"]);
  const { code, stderr } = await leaf(dir, "select", "--n", "3");
  expect(code).toBe(1);
  expect(stderr).toContain("Run `leaf distill` first, or take `--strategy random`.");
  const drawn = await leafJson<SelectResult>(dir, "select", "--n", "3", "--strategy", "random");
  expect(drawn).toMatchObject({ strategy: "random", split: "train", curve: null });
  expect(drawn.images).toHaveLength(3);
  expect(drawn.images[0]!.predicted).toBeNull();
});

test("run distils, lets the student choose, calibrates, and is fresh afterwards", {
  timeout: 300_000,
}, async () => {
  const result = await leafJson<Pipeline>(dir, "run");
  expect(result.calibrate.teacherCheck!.n).toBe(result.calibrate.images);
  expect(["distill", "backbone"]).toContain(result.calibrate.from);
  expect(result.evaluate.student).toBe("calibrate");
  expect(Array.isArray(result.evaluate.findings)).toBe(true);
  const { stages } = await leafJson<Status>(dir, "status");
  expect(stages.map((one) => one.state)).toEqual(["fresh", "fresh", "fresh", "fresh"]);
});

test("another strategy is another calibration of the same student", { timeout: 180_000 }, async () => {
  writeFileSync(path.join(dir, "leaf.yaml"), select("quantile"));
  const before = await leafJson<Status>(dir, "status");
  expect(before.stages.map((one) => one.state)).toEqual(["fresh", "fresh", "missing", "missing"]);
  expect(before.stages[2]!.why).toContain("has not chosen");
  const result = await leafJson<CalibrateResult>(dir, "calibrate");
  expect(result.reused).toBe(false);
  await leafJson(dir, "evaluate");
  const { stages } = await leafJson<Status>(dir, "status");
  expect(stages.map((one) => one.state)).toEqual(["fresh", "fresh", "fresh", "fresh"]);
});

test("select lists unrated training images with what the student predicts, and the curve", {
  timeout: 60_000,
}, async () => {
  const file = path.join(dir, "to-rate.csv");
  const some = await leafJson<SelectResult>(dir, "select", "--n", "4", "--out", file);
  expect(some.strategy).toBe("quantile");
  const rated = readFileSync(path.join(dir, "mos.csv"), "utf8");
  for (const { image, predicted } of some.images) {
    expect(rated).not.toContain(path.basename(image));
    expect(Number.isFinite(predicted)).toBe(true);
  }
  const [head, ...rows] = readFileSync(file, "utf8").trim().split("\n");
  expect(head).toBe("image,predicted,mos");
  expect(rows).toHaveLength(some.images.length);
  expect(rows[0]).toMatch(/^photos\/.*\.png,[\d.]+,$/);
  const more = await leafJson<SelectResult>(dir, "select", "--n", "100");
  expect(more.images.slice(0, 4)).toEqual(some.images);
  expect(more.images).toHaveLength(more.pool.images);
  expect(more.curve!.next.ratings).toBe(100);
  const refused = await leaf(dir, "select", "--split", "test");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("drawn at random only");
});

test("refit orders the unrated images by the ratings as they are, and calibrates nothing", {
  timeout: 60_000,
}, async () => {
  const file = path.join(dir, "mos.csv");
  const mos = readFileSync(file, "utf8");
  const before = await leafJson<Refit>(dir, "refit");
  const calibrated = await leafJson<CalibrateResult>(dir, "calibrate");
  expect(before.ratings).toBe(calibrated.images);
  const scores = before.images.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(before.images.length).toBeGreaterThan(2);
  for (const { image, sd } of before.images) {
    expect(mos).not.toContain(path.basename(image));
    expect(sd).toBeGreaterThan(0);
  }
  expect(readdirSync(path.join(dir, ".leaf", "cache")).filter((name) => name.startsWith("refit"))).toEqual(
    [],
  );
  // The best is said to be the worst: the next fit knows, and leaves it out of the order.
  const best = path.basename(before.images[0]!.image);
  const name = mos.trim().split("\n")[1]!.split(",")[0]!;
  const row = name.replace(path.basename(name), best);
  writeFileSync(file, `${mos.trim()}\n${row},1\n`);
  const after = await leafJson<Refit>(dir, "refit");
  expect(after.images.map(({ image }) => path.basename(image))).not.toContain(best);
  expect(after.images).toHaveLength(before.images.length - 1);
  writeFileSync(file, mos);
  const { stages } = await leafJson<Status>(dir, "status");
  expect(stages[2]!.state).toBe("fresh");
});

test("a teacher that the human scores contradict is told of, and calibration starts from the backbone", {
  timeout: 180_000,
}, async () => {
  const db = new DatabaseSync(path.join(dir, ".leaf", "labels.sqlite"));
  db.exec("CREATE TABLE kept AS SELECT id, score FROM points; UPDATE points SET score = 6 - score");
  // The closed form weighs both networks instead.
  const fineTuned = (text: string) => text.replace("calibrate: {", "calibrate: { method: fine-tune,");
  writeFileSync(path.join(dir, "leaf.yaml"), fineTuned(config("", { ratio: 0.9 })));
  const before = await leafJson<Status>(dir, "status");
  const { stderr, stdout } = await leaf(dir, "run", "--json");
  expect(stderr).toContain("does not clearly agree with the");
  const { calibrate, evaluate } = JSON.parse(stdout) as Pipeline;
  expect(calibrate).toMatchObject({ from: "backbone", teacherCheck: { verdict: "chance" } });
  // One run, all of whose stages are fresh.
  expect(evaluate.run).toBe(calibrate.run);
  const after = await leafJson<Status>(dir, "status");
  expect(after.stages.map((one) => one.state)).toEqual(["fresh", "fresh", "fresh", "fresh"]);
  expect(before.stages[2]!.state).toBe("stale");
  const named = "ratio: 0.9, from: backbone, headOnlyBelow: 0, lr: { backbone: 5e-4, head: 1.5e-3 }";
  const epochs = /calibrate: \{ ratio: 0.9, epochs: 2/;
  const text = config("", { ratio: 0.9 }).replace(epochs, `calibrate: { ${named}, epochs: 4`);
  writeFileSync(path.join(dir, "baseline.leaf.yaml"), fineTuned(text));
  const baseline = await leafJson<CalibrateResult>(dir, "calibrate", "-c", "baseline.leaf.yaml");
  expect(baseline).toMatchObject({ reused: true, student: calibrate.student });
  db.exec("UPDATE points SET score = (SELECT score FROM kept WHERE kept.id = points.id); DROP TABLE kept");
  db.close();
  // The same labels as at first: the distilled student is trusted again.
  const again = await leafJson<CalibrateResult>(dir, "calibrate");
  expect(again).toMatchObject({ from: "distill", teacherCheck: { verdict: "useful" } });
});

test("reliability compares the teacher with the MOS", async () => {
  const result = await leafJson<TeacherReliability>(dir, "reliability");
  const others = await Promise.all(
    ["val", "test"].map((split) => leafJson<TeacherReliability>(dir, "reliability", "--split", split)),
  );
  expect(others.reduce((sum, other) => sum + other.rated, result.rated)).toBe(images * 0.75);
  expect(result.points!.n).toBe(result.rated);
  expect(result.pairs!.bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(result.pairs!.n);
  // Blur is what the embedded teacher knows best.
  expect(result.points!.srcc).toBeGreaterThan(0.5);
  const { stdout } = await leaf(dir, "reliability", "--threshold", "0");
  expect(stdout).toContain("AUROC of confidence");
});
