import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobSnapshot } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot, RunSummary, StageSnapshot } from "../../src/protocol/project.ts";
import { quoted } from "../../src/words/text.ts";
import { type Language, startLanguage } from "./languageClient.ts";

let language: Language;
beforeEach(async () => {
  language = await startLanguage();
});
afterEach(() => language.stop());

const text = "images: photos\nlabel:\n  seed: 0\ndistill: {}\ncalibrate: {}\nevaluate: {}\n";

function stage(name: StageSnapshot["stage"], rest: Partial<StageSnapshot> = {}): StageSnapshot {
  return { stage: name, state: "missing", reason: null, headline: null, run: null, updated: null, ...rest };
}

function snapshot(rest: Partial<ProjectSnapshot>): ProjectSnapshot {
  return {
    config: language.uri(),
    name: "leaf.yaml",
    folder: "file:///x",
    revision: 1,
    invalid: null,
    imagesName: "photos",
    images: { files: 4000, usable: 4000, failed: 0 },
    mos: null,
    stages: [stage("label"), stage("distill"), stage("calibrate"), stage("evaluate")],
    stale: 4,
    scorer: null,
    scored: { done: 0, total: 0, busy: false },
    job: null,
    ...rest,
  };
}

function running(progress: Partial<NonNullable<JobSnapshot["progress"]>>): JobSnapshot {
  return {
    id: "j1",
    kind: "run",
    config: language.uri(),
    started: "2030-01-01T00:00:00.000Z",
    ended: null,
    state: "running",
    progress: {
      stage: "distill",
      step: "",
      done: 0,
      unit: "steps",
      rate: null,
      secondsLeft: null,
      ...progress,
    },
    failure: null,
    warnings: 0,
  };
}

function run(id: string, evaluated = true): RunSummary {
  const evaluation = evaluated ? ({ run: id, n: 10 } as RunSummary["evaluation"]) : null;
  return {
    id,
    config: language.uri(),
    state: "done",
    created: "",
    updated: "",
    pinned: false,
    previous: null,
    changes: [],
    ratings: null,
    agreement: null,
    evaluation,
    seconds: 1,
    gitCommit: null,
    settings: {},
  };
}

/** Line of each lens and its title. */
async function shown(): Promise<[number, string][]> {
  const lenses = (await language.lenses()) ?? [];
  return lenses.map(({ range, command }) => [range.start.line, command?.title ?? ""]);
}

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000 - 1000).toISOString();

test("nothing is shown of a config that the server does not know yet, or of another file", async () => {
  await language.write(text);
  expect(await language.lenses()).toEqual([]);
  language.world.snapshot = snapshot({});
  await language.write("a: 1", "other.yaml");
  expect(await language.lenses("other.yaml")).toBeNull();
});

test("a teacher with a prompt can be tried", async () => {
  language.world.snapshot = snapshot({});
  await language.write(`${text}teacher:\n  kind: transformers\n  model: OpenGVLab/InternVL3_5-8B-HF\n`);
  expect(await shown()).toContainEqual([6, "$(beaker) Dry run on 3 images"]);
  await language.write(`${text}teacher: { kind: embedded }\n`);
  expect((await shown()).map(([, title]) => title).join()).not.toContain("Dry run");
});

test("before the first run", async () => {
  language.world.snapshot = snapshot({});
  await language.write(text);
  expect(await shown()).toEqual([
    [0, "$(play) Run all · 4 stages to run"],
    [0, "Open IQA Panel"],
    [1, "$(circle-outline) not run yet"],
    [1, "$(play) Run"],
    [3, "$(circle-outline) not run yet"],
    [3, "$(play) Run"],
    [4, "$(circle-outline) not run yet"],
    [4, "$(play) Run"],
    [4, "Rate 30 images"],
    [5, "$(circle-outline) not run yet"],
    [5, "$(play) Run"],
  ]);
  const lenses = await language.lenses();
  expect(lenses?.map(({ command }) => command?.command)).toEqual(
    ["run", "openPanel", "", "label", "", "distill", "", "calibrate", "rateImages", "", "evaluate"].map(
      (name) => (name ? `leaf.${name}` : ""),
    ),
  );
  for (const { command } of lenses ?? [])
    if (command?.command) expect(command.arguments?.[0]).toBe(language.uri());
});

test("stale and fresh stages, with their headlines and the run to compare with", async () => {
  language.world.runs = [run("r9"), run("r10"), run("r11", false), run("r12")];
  language.world.snapshot = snapshot({
    stale: 2,
    mos: { file: "mos.csv", rated: 100, train: 70, val: 10, test: 20, range: [1, 5] },
    stages: [
      stage("label", {
        state: "fresh",
        headline: "4,000 images, 16,000 pairs (1,912 discarded)",
        updated: ago(90),
        run: "r12",
      }),
      stage("distill", {
        state: "stale",
        reason: { kind: "changed", changes: [{ key: "distill.epochs", before: 20, after: 30 }] },
        headline: "agrees with teacher 0.93",
        updated: ago(90),
        run: "r12",
      }),
      stage("calibrate", {
        state: "failed",
        reason: { kind: "failed", message: quoted("the trainer stopped") },
        updated: ago(80),
      }),
      stage("evaluate", {
        state: "fresh",
        headline: "SRCC 0.861 [0.84, 0.88] · PLCC 0.867",
        run: "r12",
        updated: ago(12),
      }),
    ],
  });
  await language.write(text);
  expect(await shown()).toEqual([
    [0, "$(play) Run all · 2 stages stale"],
    [0, "Open IQA Panel"],
    [1, "$(check) 4,000 images, 16,000 pairs (1,912 discarded)"],
    [1, "Review pairs"],
    [1, "$(play) Run"],
    [3, "$(circle-filled) stale: epochs 20 → 30"],
    [3, "$(play) Run"],
    [3, "last: agrees with teacher 0.93"],
    [4, "$(error) failed: the trainer stopped"],
    [4, "$(play) Run"],
    [4, "Rate images"],
    [5, "SRCC 0.861 [0.84, 0.88] · PLCC 0.867 · r12 · 12 min ago"],
    [5, "Compare with r10"],
    [5, "$(play) Run"],
  ]);
  const compare = (await language.lenses())?.find(({ command }) => command?.title === "Compare with r10");
  expect(compare?.command).toEqual({
    title: "Compare with r10",
    command: "leaf.compareRuns",
    arguments: [language.uri(), ["r10", "r12"]],
  });
});

test("a stage that left something out says so, and opens the list", async () => {
  const failures = {
    total: 1598,
    first: [{ kind: "point" as const, file: "a.jpg", reason: "broken" }],
    reasons: [{ reason: "broken", count: 1598 }],
    list: "file:///w/.leaf/stages/label/k/failures.jsonl",
  };
  const fresh = { headline: "done well", updated: ago(0), run: "r1", failures } as const;
  language.world.snapshot = snapshot({ stale: 0, stages: [stage("label", { state: "fresh", ...fresh })] });
  await language.write("images: photos\nlabel: {}\n");
  expect((await shown()).map(([, title]) => title)).toContain("$(warning) 1,598 failed");
  const lens = (await language.lenses())?.find(({ command }) => command?.title.includes("1,598 failed"));
  expect(lens?.command).toMatchObject({
    command: "leaf.showFailures",
    arguments: [language.uri(), "label"],
  });
});

test("everything fresh; stages without a section are told at the top by name", async () => {
  const fresh = { state: "fresh", headline: "done well", updated: ago(0), run: "r1" } as const;
  language.world.snapshot = snapshot({
    stale: 0,
    stages: [stage("label", fresh), stage("distill", fresh)],
  });
  await language.write("images: photos\ndistill: {}\n");
  expect(await shown()).toEqual([
    [0, "$(check) everything is fresh"],
    [0, "Open IQA Panel"],
    [0, "label: $(check) done well"],
    [0, "Review pairs"],
    [0, "$(play) Run"],
    [1, "$(check) done well"],
    [1, "$(play) Run"],
  ]);
});

test("labels are asked for on a cluster where the settings name one, and nothing runs", async () => {
  const on = { cluster: true, stages: [stage("label"), stage("distill")] };
  language.world.snapshot = snapshot(on);
  await language.write("label: {}\n");
  expect((await shown()).map(([, title]) => title)).toContain("$(server) Label on cluster");
  language.world.snapshot = snapshot({ ...on, job: running({ step: "points", done: 1, total: 4 }) });
  expect((await shown()).map(([, title]) => title)).not.toContain("$(server) Label on cluster");
  language.world.snapshot = snapshot({ ...on, cluster: undefined });
  expect((await shown()).map(([, title]) => title)).not.toContain("$(server) Label on cluster");
});

test("a running job: how far, how long, and the way to stop it; nothing else can be started", async () => {
  language.world.snapshot = snapshot({
    job: running({ step: "epoch 3 of 20", done: 30, total: 200, secondsLeft: 118 }),
    stages: [
      stage("label", { state: "fresh", headline: "10 images" }),
      stage("distill", { state: "running" }),
      stage("calibrate"),
    ],
  });
  await language.write(text);
  expect(await shown()).toEqual([
    [0, "$(debug-stop) Stop · epoch 3 of 20 · 15 % · 1 min 58 s left"],
    [0, "Open IQA Panel"],
    [1, "$(check) 10 images"],
    [1, "Review pairs"],
    [3, "$(sync~spin) epoch 3 of 20 · 15 % · 1 min 58 s left"],
    [4, "$(circle-outline) not run yet"],
    [4, "Rate 30 images"],
  ]);
  language.world.snapshot.job = running({ step: "points", done: 1200, total: 4000, secondsLeft: 3900 });
  expect((await shown())[0]).toEqual([0, "$(debug-stop) Stop · points · 30 % · 1 h 5 min left"]);
});

test("a config that cannot run says why", async () => {
  language.world.snapshot = snapshot({ invalid: "leaf.yaml:1:1: `images` is missing", stages: [] });
  await language.write("label: {}\n");
  expect(await shown()).toEqual([[0, "$(warning) leaf.yaml:1:1: `images` is missing"]]);
  // What was read before it broke is still told, but cannot be run.
  language.world.snapshot.stages = [stage("label", { state: "fresh", headline: "10 images" })];
  expect((await shown()).slice(1)).toEqual([
    [0, "$(check) 10 images"],
    [0, "Review pairs"],
  ]);
  language.world.snapshot = snapshot({ invalid: "Reading …", reading: true, stages: [] });
  expect(await shown()).toEqual([[0, "$(sync~spin) Reading …"]]);
});

test("the editor is asked to ask again only for news, at most once a second, and not again before it has", async () => {
  language.world.snapshot = snapshot({ job: running({ step: "epoch 1 of 20" }) });
  await language.write(text);
  await language.lenses();
  language.tell();
  for (let epoch = 2; epoch < 12; epoch++) {
    language.world.snapshot.job = running({ step: `epoch ${epoch} of 20` });
    language.tell();
    await new Promise((resolve) => setTimeout(resolve, 130));
  }
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(language.refreshes).toHaveLength(1);
  await language.lenses();
  language.tell();
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(language.refreshes).toHaveLength(1);
  language.world.snapshot.job = running({ step: "epoch 12 of 20" });
  language.tell();
  await expect.poll(() => language.refreshes.length, { timeout: 3000 }).toBe(2);
  expect(language.refreshes[1]! - language.refreshes[0]!).toBeGreaterThan(900);
});
