import { expect, test } from "vitest";
import { expectAsked } from "../support/asked.ts";
import { epochEvents, jobEvents, runningJob } from "../support/model/job.ts";
import { createModel, type Model } from "../support/model/model.ts";
import { config } from "../support/model/project.ts";
import { curve } from "../support/model/runs.ts";
import { panels, wordsOf } from "../support/panelTest.ts";
import { themes } from "../support/themes.ts";

const open = panels();

/** In the eighth epoch of distill. */
function runningModel(): Model {
  const now = Date.now();
  const model = createModel({ images: 40, standing: "new" });
  const project = model.projects[0]!;
  project.job = runningJob(config, now);
  project.stages[0] = {
    stage: "label",
    state: "fresh",
    reason: null,
    headline: "400 images, 1,600 pairs (188 discarded)",
    run: "r1",
    updated: new Date(now - 60_000).toISOString(),
  };
  project.stages[1]!.state = "running";
  model.events = jobEvents(now, 7);
  return model;
}

test.each(themes)("a running job in %s: stages, progress, curves, device, log", async (theme) => {
  const { page, shot } = await open({ model: runningModel(), theme });
  const stages = page.getByRole("list", { name: "Stages" }).getByRole("listitem");
  await page.getByRole("log").waitFor();
  expect(await stages.count()).toBe(4);
  const current = await wordsOf(page.locator('[aria-current="step"]'));
  for (const words of [
    "Distill Student running",
    "epoch 8 of 20",
    "463 of 1,260 steps",
    "4 min 14 s left",
    "3.1 steps/s",
  ])
    expect(current).toContain(words);
  expect(await page.getByRole("progressbar").getAttribute("value")).toBe("463");
  const region = page.getByRole("region", { name: "Distill Student" });
  expect(await wordsOf(region)).toContain("NVIDIA RTX 4090");
  expect(await wordsOf(region)).toContain("96 images/s");
  expect(await page.getByRole("log").innerText()).toContain("photos/rocket-dark-00034.jpg cannot be decoded");
  expect(await region.locator("svg[aria-label='Distill Student: loss by epoch']").count()).toBe(1);
  await shot(`run-${theme}`);
});

test("curves are tables too, with the figures that the trainer told", async () => {
  const { page } = await open({ model: runningModel() });
  const validation = page.locator("leaf-chart").filter({ hasText: "Distill Student: validation" });
  await validation.getByRole("button", { name: "Show as table" }).click();
  const rows = await validation.getByRole("row").allInnerTexts();
  const expected = curve(3, 20, 0.9, { point: 0.55, pair: 0.45 }).slice(0, 7);
  expect(rows.map((row) => row.split(/\s+/).filter(Boolean))).toEqual([
    ["epoch", "SRCC", "PLCC"],
    ...expected.map(({ epoch, srcc, plcc }) => [epoch, srcc, plcc].map(String)),
  ]);
});

test("follows the job: an epoch more is drawn, at most five times a second", async () => {
  const model = runningModel();
  const { page, post } = await open({ model });
  const chart = page.locator("leaf-chart").filter({ hasText: "Distill Student: loss" });
  await chart.locator(".drawing > svg").waitFor();
  await page.evaluate(() => {
    const find = (root: ParentNode): Element[] => [
      ...root.querySelectorAll(".drawing"),
      ...[...root.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? find(one.shadowRoot) : [])),
    ];
    const counted = window as unknown as { drawn: number };
    counted.drawn = 0;
    new MutationObserver(() => counted.drawn++).observe(find(document)[0]!, { childList: true });
  });
  const [eighth] = curve(3, 20, 0.9, { point: 0.55, pair: 0.45 }).slice(7);
  const at = Date.now();
  const events = epochEvents(
    eighth!,
    () => at,
    () => 0,
  );
  const started = performance.now();
  for (let turn = 0; turn < 60; turn++) {
    await post({
      type: "jobEvents",
      config,
      job: model.projects[0]!.job!,
      events: turn === 0 ? events : [events[1]!],
    });
    await page.waitForTimeout(15);
  }
  await page.waitForTimeout(300);
  const seconds = (performance.now() - started) / 1000;
  const drawn = await page.evaluate(() => (window as unknown as { drawn: number }).drawn);
  console.log(`60 messages in ${seconds.toFixed(2)} s: drawn ${drawn} times`);
  expect(drawn).toBeGreaterThanOrEqual(3);
  expect(drawn).toBeLessThanOrEqual(Math.ceil(seconds * 5) + 1);
  await chart.getByRole("button", { name: "Show as table" }).click();
  expect(await chart.getByRole("row").last().innerText()).toMatch(/^8\s/);
});

test("Stop stops, and says what is kept", async () => {
  const { page, asked, refresh, post, model } = await open({ model: runningModel() });
  await page.getByRole("button", { name: "Stop" }).click();
  await expectAsked(asked, { method: "leaf/stop", params: { config } });
  await refresh();
  await post({
    type: "jobEvents",
    config,
    job: model.projects[0]!.job!,
    events: [{ at: Date.now(), type: "end", state: "cancelled" }],
  });
  await page
    .getByText("Run Pipeline was stopped. What was finished is kept; the next run goes on from there.")
    .waitFor();
  expect(await page.getByRole("button", { name: "Stop" }).count()).toBe(0);
  expect(await page.getByRole("log").innerText()).toContain("Stopped.");
});

test("nothing has run: what will happen, and the one action", async () => {
  const { page, asked, shot } = await open({ model: createModel({ images: 40, standing: "new" }) });
  await page.getByText("40 images in photos.").waitFor();
  await shot("run-new-dark");
  await page.getByRole("button", { name: "Run Pipeline" }).click();
  await expectAsked(asked, { method: "host/command", params: { command: "leaf.run", config } });
  await page.getByRole("button", { name: "Run this stage: Label with Teacher" }).click();
  await expectAsked(asked, { method: "host/command", params: { command: "leaf.label", config } });
});

test.each(["dark", "light"] as const)(
  "stale stages say why, a failed job what to do, in %s",
  async (theme) => {
    const model = createModel({ images: 40, standing: "stale" });
    model.projects[0]!.job = {
      ...runningJob(config, Date.now()),
      state: "failed",
      ended: new Date().toISOString(),
      progress: null,
      failure: {
        code: "environment",
        message: "No Python interpreter with PyTorch was found.",
        remedy: "Set up the training environment (about 900 MB), or select an interpreter that has it.",
      },
    };
    const { page, asked, shot } = await open({ model, tab: "run", theme });
    await page.getByText("distill.epochs: 20 → 30").waitFor();
    expect(await page.getByRole("heading", { name: "3 stages to run" }).count()).toBe(1);
    expect(await page.getByRole("alert").innerText()).toContain(
      "No Python interpreter with PyTorch was found.",
    );
    await shot(`run-failed-${theme}`);
    await page.getByRole("button", { name: "Set Up Training Environment" }).click();
    await expectAsked(asked, {
      method: "host/command",
      params: { command: "leaf.setUpEnvironment", config: null },
    });
  },
);

test.each(["dark", "light"] as const)(
  "what stages left out, and a stage that failed for it, in %s",
  async (theme) => {
    const model = createModel({ images: 40 });
    const [label, distill, , evaluate] = model.projects[0]!.stages;
    label!.failures = {
      total: 598,
      first: [
        { kind: "point", file: "photos/a.jpg", reason: "the server refuses it (HTTP 400: image too small)" },
      ],
      reasons: [
        { reason: "the server refuses it (HTTP 400: image too small)", count: 571 },
        { reason: "the JPEG data is truncated", count: 27 },
      ],
      list: "file:///w/.leaf/stages/label/k/failures.jsonl",
    };
    distill!.failures = {
      total: 2,
      first: [
        {
          kind: "decode",
          file: "photos/harbour/a-long-name-of-a-photo-from-the-harbour-at-night-0001.jpg",
          reason: "the JPEG data is truncated",
        },
        { kind: "decode", file: "photos/b.png", reason: "the file is empty" },
      ],
      reasons: [],
      list: "file:///w/.leaf/stages/distill/k/failures.jsonl",
    };
    Object.assign(evaluate!, {
      state: "failed",
      reason: {
        kind: "failed",
        message: "None of the 80 images of the test split could be scored; at least 3 are needed.",
      },
      headline: null,
      failures: {
        total: 80,
        first: [],
        reasons: [{ reason: "the student gave no number", count: 80 }],
        list: null,
      },
    });
    model.projects[0]!.stale = 1;
    const { page, asked, shot } = await open({ model, tab: "run", theme });
    const stages = page.getByRole("list", { name: "Stages" }).getByRole("listitem");
    const words = await wordsOf(stages.nth(0));
    expect(words).toContain(
      "598 failed 571 × the server refuses it (HTTP 400: image too small) 27 × the JPEG data",
    );
    expect(await wordsOf(stages.nth(1))).toContain("photos/b.png : the file is empty");
    expect(await wordsOf(stages.nth(3))).toContain("80 × the student gave no number");
    expect(await stages.nth(3).getByRole("button", { name: "failures" }).count()).toBe(0);
    await shot(`run-failures-${theme}`);
    await page.getByRole("button", { name: "Show all 598 failures" }).click();
    await expectAsked(asked, {
      method: "host/command",
      params: { command: "leaf.showFailures", config, argument: "label" },
    });
  },
);

test("a config with an error opens at the file", async () => {
  const model = createModel({ images: 40 });
  const message = "unknown key `distil`; did you mean `distill`?";
  model.projects[0]!.invalid = `leaf.yaml:3:1: ${message}`;
  model.projects[0]!.invalidAt = { file: "leaf.yaml", line: 3, message };
  const { page, asked } = await open({ model, tab: "run" });
  await page.getByText("leaf.yaml, line 3: unknown key `distil`; did you mean `distill`?").waitFor();
  expect(await page.getByRole("button", { name: "Run Pipeline" }).count()).toBe(0);
  await page.getByRole("button", { name: "Open leaf.yaml" }).click();
  await expectAsked(asked, { method: "host/openFile", params: { uri: config } });
});

test("done: what came out, and what next", async () => {
  const model = createModel({ images: 40 });
  model.projects[0]!.job = {
    ...runningJob(config, Date.now()),
    state: "done",
    ended: new Date().toISOString(),
    progress: null,
  };
  const { page, shot } = await open({ model, tab: "run" });
  await page.getByRole("heading", { name: "Every stage is fresh" }).waitFor();
  await page.getByText("Run Pipeline took 2 min 40 s, just now.").waitFor();
  await page.getByText("SRCC 0.861 [0.84, 0.88] · PLCC 0.867 · n = 80").waitFor();
  // No curves of this job are known any more: those of the run are shown.
  const region = page.getByRole("region", { name: "Calibrate Student" });
  await region.getByText("Curves of run r12").waitFor();
  await region.locator(".drawing > svg").first().waitFor();
  await shot("run-done-dark");
  await page.getByRole("button", { name: "See metrics" }).click();
  expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Metrics");
});

test("the log keeps its last 200 lines", async () => {
  const model = runningModel();
  const { page, post } = await open({ model });
  await page.getByRole("log").waitFor();
  const events = Array.from({ length: 260 }, (_, at) => ({
    at: Date.now(),
    type: "warning" as const,
    message: `photos/${at}.jpg cannot be decoded.`,
  }));
  await post({ type: "jobEvents", config, job: model.projects[0]!.job!, events });
  await page.getByText("photos/259.jpg cannot be decoded.").waitFor();
  const log = page.getByRole("log");
  expect(await log.locator(".line").count()).toBe(200);
  // It follows its end.
  expect(await log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)).toBeLessThan(4);
});

test("before the first run it shows what will come, in which tab", async () => {
  const model = createModel({ images: 40, standing: "new" });
  const { page, kept, refresh } = await open({ model, tab: "run" });
  const coming = page.locator("leaf-what-comes");
  await coming.getByRole("heading", { name: "What a run brings" }).waitFor();
  expect(await coming.getByRole("listitem").count()).toBe(4);
  expect(await coming.getByRole("button").allInnerTexts()).toEqual(["Pairs", "Gallery", "Metrics"]);
  // Without human scores there will be no metrics: some have to be given first.
  model.projects[0]!.mos = null;
  await refresh();
  await coming.getByRole("button", { name: "Rate" }).waitFor();
  expect(await coming.getByRole("button", { name: "Metrics" }).count()).toBe(0);
  await coming.getByRole("button", { name: "Gallery" }).click();
  await expect.poll(() => kept()?.tab).toBe("gallery");
});

test("a failed job has no tick above it", async () => {
  const model = createModel({ images: 40 });
  const failure = { code: "failed", message: "The teacher does not answer." } as const;
  const ended = { state: "failed", ended: new Date().toISOString(), progress: null, failure } as const;
  model.projects[0]!.job = { ...runningJob(config, Date.now()), ...ended };
  const { page } = await open({ model, tab: "run" });
  await page.getByText("The teacher does not answer.").waitFor();
  expect(await page.locator("leaf-outcome leaf-icon.done").count()).toBe(0);
});
