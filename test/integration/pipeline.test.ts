import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withImage } from "../../src/engine/images/decode.ts";
import { srcc } from "../../src/engine/metrics/agreement.ts";
import type { ScoreResult } from "../../src/engine/scoring/score.ts";
import { heatMap } from "../../src/engine/student/heatMap.ts";
import { openStudent } from "../../src/engine/student/student.ts";
import type { ExperimentResult } from "../../src/protocol/experiments.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  LabelResult,
} from "../../src/protocol/results.ts";
import type { StudentCard } from "../../src/protocol/student.ts";
import { conditions, startServer } from "../server/startServer.ts";
import { config, leaf, leafJson, makeWorkspace, startLeaf, temporaryFolder } from "./workspace.ts";

// The real command line, teacher, trainer and ONNX Runtime on 24 small crops; the tests build on each other.
const { dir, remove } = temporaryFolder();
const images = 24;
beforeAll(() => makeWorkspace(dir, images));
afterAll(remove);

interface Pipeline {
  label: LabelResult;
  distill: DistillResult;
  calibrate: CalibrateResult;
  evaluate: EvaluateResult;
}
interface Status {
  stages: { stage: string; state: string; why?: string }[];
}
const states = (status: Status) => status.stages.map((one) => `${one.stage} ${one.state}`);
let first: Pipeline;

test("status before anything ran: all stages missing", async () => {
  const status = await leafJson<Status>(dir, "status");
  expect(states(status)).toEqual([
    "label missing",
    "distill missing",
    "calibrate missing",
    "evaluate missing",
  ]);
});

test("run carries one config through all stages", { timeout: 300_000 }, async () => {
  first = await leafJson<Pipeline>(dir, "run");
  // 12 of the 24 images train, 5 validate; the other 7 are rated, so that the teacher can be compared on them.
  expect(first.label.images).toBe(17);
  expect(first.label.points).toEqual({ labelled: 17, reused: 0, failed: 0 });
  expect(first.label.checks).toMatchObject({ points: { labelled: 7 }, pairs: { labelled: 0 } });
  expect(first.label.pairs.labelled).toBeGreaterThanOrEqual(12 * 1.5);
  expect(first.label.pairs.kept + first.label.pairs.discarded).toBe(first.label.pairs.labelled);
  expect(first.distill.run).toBe("r1");
  expect(first.calibrate.run).toBe("r1");
  expect(first.calibrate.images).toBe(6);
  expect(first.calibrate).toMatchObject({ method: "closed-form", from: "distill", headOnly: false });
  expect(first.calibrate.head).toMatchObject({ networks: ["distilled"], ratings: 6, cv: { n: 6 } });
  expect(first.evaluate.n).toBe(7);
  expect(first.evaluate.srcc).not.toBeNull();
  const card = JSON.parse(
    readFileSync(first.calibrate.student.replace(/onnx$/, "json"), "utf8"),
  ) as StudentCard;
  expect(card.exportMaxDifference).toBeLessThan(1e-3);
  expect(card.mosScale).toEqual({ range: [1, 5], lowerIsBetter: false });
  expect(card.outputs).toContain("sd");
  expect(card.head!.noise).toBeGreaterThan(0);
});

test("a second label judges nothing", async () => {
  const again = await leafJson<LabelResult>(dir, "label");
  expect(again.points).toEqual({ labelled: 0, reused: 17, failed: 0 });
  expect(again.checks?.points).toEqual({ labelled: 0, reused: 7, failed: 0 });
  expect(again.pairs.labelled).toBe(0);
  expect(again.pairs.reused).toBe(first.label.pairs.labelled);
});

test("everything is fresh, and running again changes no stage", async () => {
  expect(states(await leafJson<Status>(dir, "status"))).toEqual([
    "label fresh",
    "distill fresh",
    "calibrate fresh",
    "evaluate fresh",
  ]);
  const before = statSync(first.distill.student).mtimeMs;
  const again = await leafJson<Pipeline>(dir, "run");
  expect(again.distill.reused && again.calibrate.reused).toBe(true);
  expect(again.evaluate).toEqual(first.evaluate);
  expect(statSync(first.distill.student).mtimeMs).toBe(before);
});

/** How often each file was looked at, read or opened while `work` ran with `env`, as "what name". */
async function counting(work: (env: NodeJS.ProcessEnv) => Promise<unknown>): Promise<Map<string, number>> {
  const file = path.join(dir, "..", `${path.basename(dir)}-counts.txt`);
  writeFileSync(file, "");
  const preload = path.resolve("test/support/countFiles.cjs");
  await work({ ...process.env, NODE_OPTIONS: `--require ${preload}`, LEAF_COUNTS: file });
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const [what, name = ""] = line.split("\t");
    const key = `${what} ${path.relative(dir, name).replaceAll("\\", "/")}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  rmSync(file);
  return counts;
}

const most = (counts: Map<string, number>, what: RegExp) =>
  Math.max(0, ...[...counts].flatMap(([key, n]) => (what.test(key) ? [n] : [])));

test("a run with nothing to do looks at each image once, and opens the images' index for one look", async () => {
  const counts = await counting((env) => startLeaf(dir, ["run"], env).done);
  expect(most(counts, /^stat photos\/.*\.png$/)).toBe(1);
  // Once to bring it up to date, once to read it.
  expect(most(counts, /^database .*index-/)).toBeLessThanOrEqual(2);
});

test("the editor reads labels, runs and fits once for a state of the project", {
  timeout: 120_000,
}, async () => {
  const counts = await counting(async (env) => {
    let projects: ProjectSnapshot[] = [];
    const { until, look } = conditions();
    const { stop } = await startServer(
      dir,
      (connection) => {
        connection.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
          projects = told.projects;
          look();
        });
      },
      env,
    );
    await until(() => projects[0]?.stages[3]?.state === "fresh");
    await stop();
  });
  expect(most(counts, /^read .*run\.json$/)).toBe(1);
  expect(most(counts, /^database .*labels\.sqlite/)).toBe(1);
});

test("a changed calibrate: reruns only calibrate and evaluate, as a new run", {
  timeout: 180_000,
}, async () => {
  writeFileSync(path.join(dir, "leaf.yaml"), config("", { ratio: 0.9 }));
  const status = await leafJson<Status>(dir, "status");
  expect(states(status)).toEqual(["label fresh", "distill fresh", "calibrate stale", "evaluate stale"]);
  expect(status.stages[2]!.why).toBe("calibrate.ratio: 0.5 → 0.9");
  const second = await leafJson<Pipeline>(dir, "run");
  expect(second.distill.student).toBe(first.distill.student);
  expect(second.distill.reused).toBe(true);
  expect(second.calibrate.reused).toBe(false);
  expect(second.calibrate.run).toBe("r2");
  const { runs } = await leafJson<{
    runs: { id: string; stages: { evaluate?: { result: EvaluateResult } } }[];
  }>(dir, "runs");
  expect(runs.map((run) => run.id)).toEqual(["r1", "r2"]);
  expect(runs[0]!.stages.evaluate!.result.srcc).toBe(first.evaluate.srcc);
});

/** A second target in a table of its own: blur rises from 0 to 100 as quality falls. One image has no score of it. */
function withBlur(text: string): string {
  const names = readFileSync(path.join(dir, "mos.csv"), "utf8").trim().split("\n").slice(1);
  const rows = names.map((line, i) => `${line},${i === 0 ? "" : (100 * i) / images}`);
  writeFileSync(path.join(dir, "targets.csv"), `image,mos,blur\n${rows.join("\n")}\n`);
  return text
    .replace("file: mos.csv", "file: targets.csv")
    .replace("score: mos", "score: { quality: mos, blur: { column: blur, range: [0, 100] } }");
}

test("the CFT-only baseline trains without a distilled student, a head for each target", {
  timeout: 180_000,
}, async () => {
  writeFileSync(
    path.join(dir, "baseline.leaf.yaml"),
    withBlur(config().replace("calibrate: {", "calibrate: { method: fine-tune, from: backbone,")),
  );
  const result = await leafJson<CalibrateResult>(dir, "calibrate", "-c", "baseline.leaf.yaml");
  expect(result).toMatchObject({ method: "fine-tune", from: "backbone", headOnly: false });
  expect(result.student).not.toBe(first.calibrate.student);
  const card = JSON.parse(readFileSync(result.student.replace(/onnx$/, "json"), "utf8")) as StudentCard;
  expect(card.targets).toEqual([
    { name: "quality", score: "score", sd: null, mosScale: { range: [1, 5], lowerIsBetter: false } },
    { name: "blur", score: "score_blur", sd: null, mosScale: { range: [0, 100], lowerIsBetter: false } },
  ]);
  const curves = readFileSync(path.join(path.dirname(result.student), "metrics.jsonl"), "utf8");
  expect(Object.keys(JSON.parse(curves.trim().split("\n").at(-1)!).parts)).toEqual([
    "mse",
    "plcc",
    "blur mse",
    "blur plcc",
  ]);
  const evaluated = await leafJson<EvaluateResult>(dir, "evaluate", "-c", "baseline.leaf.yaml");
  expect(evaluated.n).toBe(first.evaluate.n);
  expect(evaluated.targets).toMatchObject([{ name: "blur", range: [0, 100] }]);
});

test("two students are compared on the images that both were evaluated on", async () => {
  const compared = await leafJson<{ n: number; metrics: Record<string, { a: number; b: number }> }>(
    dir,
    "compare",
    "leaf.yaml",
    "baseline.leaf.yaml",
    "--bootstrap",
    "100",
  );
  const other = await leafJson<EvaluateResult>(dir, "evaluate", "-c", "baseline.leaf.yaml");
  const own = await leafJson<EvaluateResult>(dir, "evaluate");
  expect(compared.n).toBe(own.n);
  expect(compared.metrics.srcc).toMatchObject({ a: own.srcc, b: other.srcc });
  expect(compared.metrics.rmse!.b).toBeCloseTo(other.rmse, 12);
});

test("the closed form on the network as it comes needs no label, and scores have error bars", {
  timeout: 300_000,
}, async () => {
  writeFileSync(
    path.join(dir, "ridge.leaf.yaml"),
    config().replace("calibrate: {", "calibrate: { from: backbone,"),
  );
  const result = await leafJson<CalibrateResult>(dir, "calibrate", "-c", "ridge.leaf.yaml");
  expect(result).toMatchObject({
    method: "closed-form",
    from: "backbone",
    head: { networks: ["pretrained"] },
  });
  const folder = path.dirname(result.student);
  const { scores } = await leafJson<{ scores: { image: string; score: number; sd: number }[] }>(
    dir,
    "score",
    "photos",
    "--student",
    folder,
  );
  for (const { sd } of scores) expect(sd).toBeGreaterThan(0.5 * result.head!.noise);
  const { stdout } = await leaf(dir, "score", "photos", "--student", folder, "--csv");
  expect(stdout.split("\n")[0]).toBe("image,score,sd");
  // Its own backbone is kept, and a heat map's mean is the score.
  expect(readdirSync(path.join(dir, ".leaf", "cache", "backbones"))).toHaveLength(1);
  const student = await openStudent(folder, { threads: 1 });
  try {
    const image = await withImage(
      { path: path.join(dir, "photos", "coffee_000.png"), hash: null },
      {},
      async (one) => one,
    );
    const map = await heatMap(student, image);
    const all = map.views.flatMap((view) => view.scores);
    expect(all.reduce((sum, one) => sum + one, 0) / all.length).toBeCloseTo(map.score, 4);
    expect(map.score).toBeCloseTo(scores.find((one) => one.image.endsWith("coffee_000.png"))!.score, 3);
  } finally {
    await student.close();
  }
});

test("the better of the two says what it compared", { timeout: 600_000 }, async () => {
  writeFileSync(
    path.join(dir, "best.leaf.yaml"),
    config("", { ratio: 1 }).replace("calibrate: {", "calibrate: { method: best,"),
  );
  const result = await leafJson<CalibrateResult>(dir, "calibrate", "-c", "best.leaf.yaml");
  const { folds, closedForm, fineTuned } = result.compared!;
  expect(folds).toBe(2);
  expect(result.method).toBe(fineTuned! > closedForm! ? "fine-tune" : "closed-form");
  expect(existsSync(path.join(path.dirname(result.student), "folds"))).toBe(false);
});

test("a second target has a head, a score and figures of its own, on the same distilled student", {
  timeout: 300_000,
}, async () => {
  writeFileSync(path.join(dir, "targets.leaf.yaml"), withBlur(config("", { ratio: 0.9 })));
  const result = await leafJson<CalibrateResult>(dir, "calibrate", "-c", "targets.leaf.yaml");
  const card = JSON.parse(readFileSync(result.student.replace(/onnx$/, "json"), "utf8")) as StudentCard;
  expect(card.targets).toMatchObject([
    { name: "quality", score: "score", sd: "sd", mosScale: { range: [1, 5] } },
    {
      name: "blur",
      score: "score_blur",
      sd: "sd_blur",
      mosScale: { range: [0, 100] },
      head: { ratings: expect.any(Number) },
    },
  ]);
  // Node's scores on real pictures, against what Python fitted.
  expect(card.exportMaxDifference).toBeLessThan(1e-3);
  const evaluated = await leafJson<EvaluateResult>(dir, "evaluate", "-c", "targets.leaf.yaml");
  expect(evaluated.n).toBe(first.evaluate.n);
  expect(evaluated.targets).toMatchObject([{ name: "blur", range: [0, 100], n: expect.any(Number) }]);
  // Blur rises as quality falls.
  const { scores } = await leafJson<ScoreResult>(dir, "score", "photos", "-c", "targets.leaf.yaml");
  const of = (name: string) => Float64Array.from(scores, ({ targets }) => targets![name]!.score);
  expect(srcc(of("quality"), of("blur"))).toBeLessThan(-0.5);
  const { stdout } = await leaf(dir, "score", "photos", "-c", "targets.leaf.yaml", "--csv");
  expect(stdout.split("\n")[0]).toBe("image,score,sd,score_blur,sd_blur");

  // An experiment of the same student tells the figures of either.
  const experiment = async (target: string) => {
    const text = `base: targets.leaf.yaml\ntarget: ${target}\nbootstrap: 100\narms: { a: , b: { calibrate.ratio: 0.5 } }\ncompare: a\n`;
    writeFileSync(path.join(dir, `${target}.experiment.yaml`), text);
    return leafJson<ExperimentResult>(dir, "experiment", "run", `${target}.experiment.yaml`);
  };
  const [quality, blur] = [await experiment("quality"), await experiment("blur")];
  expect([quality.target, blur.target]).toEqual([undefined, "blur"]);
  const figures = ({ arms }: ExperimentResult) => arms[0]!.trials[0]!.metrics!;
  expect(figures(quality).srcc).toBe(evaluated.srcc);
  expect(figures(blur).rmse).toBe(evaluated.targets![0]!.rmse);
  // The paired test reads the predictions of that target: its difference is that of the two arms' figures.
  const [a, b] = blur.arms.map(({ means }) => means.srcc!.mean);
  expect(blur.arms[1]!.versus!.tests.srcc!.difference).toBeCloseTo(b! - a!, 9);
});

test("evaluate agrees with metrics of its own predictions file", async () => {
  const evaluations = path.join(dir, ".leaf", "stages", "evaluate");
  const key = readdirSync(evaluations).find((name) => {
    const { srcc, rmse } = JSON.parse(readFileSync(path.join(evaluations, name, "result.json"), "utf8"));
    return srcc === first.evaluate.srcc && rmse === first.evaluate.rmse;
  })!;
  const predictions = path.join(evaluations, key, "predictions.csv");
  const truth = path.join(evaluations, key, "truth.csv");
  writeFileSync(truth, readFileSync(predictions, "utf8").replaceAll(/^([^,]*),[^,]*,[^,]*,/gm, "$1,"));
  const metrics = await leafJson<EvaluateResult>(
    dir,
    "metrics",
    "--predictions",
    predictions,
    "--truth",
    truth,
  );
  expect(metrics.n).toBe(first.evaluate.n);
  expect(metrics.srcc).toBeCloseTo(first.evaluate.srcc!, 12);
  expect(metrics.rmse).toBeCloseTo(first.evaluate.rmse, 9);
});

test("exported students and labels stand on their own", async () => {
  await leafJson(dir, "export", "student", "-o", "out/student");
  await leafJson(dir, "export", "labels", "-o", "out/labels");
  const scored = await leafJson<{ scores: { image: string }[] }>(
    dir,
    "score",
    "photos",
    "--student",
    "out/student",
  );
  expect(scored.scores).toHaveLength(images);
  expect(readFileSync(path.join(dir, "out/labels/points.csv"), "utf8").trim().split("\n")).toHaveLength(
    images + 1,
  );
});

test("tasks for Label Studio have the student's scores, and what it exports is read", async () => {
  const { files } = await leafJson<{ files: string[] }>(dir, "export", "tasks", "-o", "out/tasks.json");
  const tasks = JSON.parse(readFileSync(path.join(dir, "out/tasks.json"), "utf8")) as {
    data: { image: string };
    predictions: { score: number; result: { value: { rating: number } }[] }[];
  }[];
  expect(files.map((file) => path.basename(file))).toEqual(["tasks.json", "tasks.labels.xml"]);
  expect(tasks).toHaveLength(images);
  for (const { predictions } of tasks)
    expect(predictions[0]!.result[0]!.value.rating).toBe(
      Math.min(5, Math.max(1, Math.round(predictions[0]!.score))),
    );
  const said = tasks.map(({ data, predictions: [one] }, id) => ({
    id,
    data,
    annotations: [{ completed_by: 1, result: one!.result }],
  }));
  writeFileSync(path.join(dir, "project.json"), JSON.stringify(said));
  writeFileSync(
    path.join(dir, "tasks.leaf.yaml"),
    config().replace("file: mos.csv", "file: project.json").replace("score: mos", "score: rating"),
  );
  const check = await leafJson<{ withMos: number }>(dir, "check", "--quick", "-c", "tasks.leaf.yaml");
  expect(check.withMos).toBe(images);
});

test("the ranking of all preferences is in order, and of the images that were compared", async () => {
  const { images: ranked } = await leafJson<{ images: { image: string; score: number; pairs: number }[] }>(
    dir,
    "labels",
    "rank",
  );
  expect(ranked).toHaveLength(12);
  const scores = ranked.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(ranked.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(2 * first.label.pairs.labelled);
});

test("clean keeps what runs stand on", async () => {
  const stray = path.join(dir, ".leaf", "stages", "distill", "0000000000000000");
  writeFileSync(path.join(dir, "leaf.yaml"), config());
  await import("node:fs/promises").then((fs) => fs.mkdir(stray));
  const { removed } = await leafJson<{ removed: string[] }>(dir, "clean");
  expect(removed).toEqual([path.join("stages", "distill", "0000000000000000")]);
  expect(existsSync(first.distill.student)).toBe(true);
});

test.each([
  [
    "an unknown key",
    "distil: { epochs: 3 }",
    "leaf.yaml:10:1: unknown key `distil`, did you mean `distill`?",
  ],
  ["a folder without images", "", "nowhere"],
])("%s is one sentence with exit code 2", async (_name, extra, message) => {
  const text = extra ? config(extra) : config().replace("images: photos", "images: nowhere");
  writeFileSync(path.join(dir, "wrong.leaf.yaml"), text.replaceAll("leaf.yaml", "wrong.leaf.yaml"));
  const { code, stderr, stdout } = await leaf(dir, "check", "-c", "wrong.leaf.yaml");
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("    at ");
});
