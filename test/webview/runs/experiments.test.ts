import { expect, test } from "vitest";
import { expectAsked, lastAsked } from "../support/asked.ts";
import { growing, hostileArm, makeExperiments } from "../support/model/experiments.ts";
import { runningJob } from "../support/model/job.ts";
import { createModel, type Model } from "../support/model/model.ts";
import { config } from "../support/model/project.ts";
import { expectFits, panels, wordsOf } from "../support/panelTest.ts";
import { themes } from "../support/themes.ts";

const open = panels();
const withExperiments = (): Model => {
  const model = createModel();
  model.experiments = makeExperiments(Date.now());
  return model;
};

test.each(themes)("an experiment's table and chart in %s", async (theme) => {
  const model = withExperiments();
  const panel = await open({ model, theme, tab: "runs", height: 1500 });
  const { page, shot } = panel;
  const table = page.getByRole("table", { name: "Experiment components" });
  await table.waitFor();
  const row = (name: string) =>
    table.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: false }) });
  // numpy.mean and numpy.std(ddof=1) of [.861, .852, .872] and of [.741, .728, .755].
  expect(await wordsOf(row("joint (baseline)"))).toMatch(/joint \(baseline\) 40 3 80 0\.862 ± 0\.010 /);
  const point = await wordsOf(row("point only"));
  expect(point).toContain("0.741 ± 0.014 *");
  expect(point).toContain("−0.120 [−0.161, −0.079]");
  expect(point).toContain("<0.001");
  expect(await row("point only").locator(".poor").innerText()).toBe("−0.120");
  expect(await row("pair only").locator(".poor").count()).toBe(0);
  expect(await wordsOf(row("pair only"))).toContain("2 of 3");
  expect(await wordsOf(row("huge batch"))).toContain("failed");
  const reasons = await table.locator(".reason").allInnerTexts();
  expect(reasons.map((text) => text.trim())).toEqual([
    "Failed, seed 2: the GPU ran out of memory: set `distill.batch: 16`",
    "Failed, seed 0, 1, 2: the GPU ran out of memory: set `distill.batch: 16`",
  ]);
  const paper = row("Published: LEAF on AGIQA-3K");
  expect(await wordsOf(paper)).toContain("0.830");
  expect(await paper.evaluate((one) => getComputedStyle(one).fontStyle)).toBe("italic");

  const chart = page.locator("leaf-chart").filter({ hasText: "SRCC of each arm" });
  await chart.locator(".drawing > svg").waitFor();
  // Four arms with figures: their means, and 3 + 3 + 2 + 3 seeds.
  const circles = chart.locator('[aria-label="dot"]');
  expect(await circles.first().locator("circle").count()).toBe(11);
  expect(await circles.last().locator("circle").count()).toBe(4);
  await expectFits(panel);
  await shot(`experiments-${theme}`);
  await chart.getByRole("button", { name: "Show as table" }).click();
  const cells = await chart
    .getByRole("row", { name: /^joint/ })
    .getByRole("cell")
    .allInnerTexts();
  const sd = Math.sqrt(((0.861 - 2.585 / 3) ** 2 + (0.852 - 2.585 / 3) ** 2 + (0.872 - 2.585 / 3) ** 2) / 2);
  for (const [at, value] of [2.585 / 3, 2.585 / 3 - sd, 2.585 / 3 + sd, 3].entries())
    expect(Number(cells[at + 1])).toBeCloseTo(value, 9);
});

test("an arm's name is text, wherever it stands", async () => {
  const panel = await open({ model: withExperiments(), tab: "runs", width: 700, height: 1500 });
  const { page, asked, shot } = panel;
  const table = page.getByRole("table", { name: "Experiment components" });
  await table.getByText(hostileArm, { exact: true }).first().waitFor();
  expect(await page.locator("leaf-runs img").count()).toBe(0);
  const chart = page.locator("leaf-chart").filter({ hasText: "SRCC of each arm" });
  await chart.locator(".drawing > svg").waitFor();
  const label = chart.locator("svg text", { hasText: "<img src=x" });
  // Cut to fit.
  const box = (await label.boundingBox())!;
  const drawn = (await chart.locator(".drawing > svg").boundingBox())!;
  expect(box.x).toBeGreaterThanOrEqual(drawn.x - 1);
  await expectFits(panel);
  await shot("experiments-narrow-dark");
  await page.getByRole("button", { name: "Copy the table as Markdown" }).click();
  await expect.poll(() => lastAsked(asked, "host/copy")).toBeDefined();
  expect(lastAsked(asked, "host/copy")!.params.text).toContain("\\<img src=x onerror=alert\\(1\\)\\>");
});

test("copies the server's text in each format, and opens, runs and stops the experiment", async () => {
  const model = withExperiments();
  const { page, asked, refresh } = await open({ model, tab: "runs", height: 1200 });
  const [experiment, other] = model.experiments.map((one) => one.experiment);
  for (const [name, start] of [
    ["Markdown", "| arm |"],
    ["LaTeX", "% \\usepackage{booktabs}"],
    ["CSV", "arm,mos,"],
  ] as const) {
    await page.getByRole("button", { name: `Copy the table as ${name}` }).click();
    await page.getByText(`Copied as ${name}.`).waitFor();
    await expectAsked(asked, {
      method: "host/copy",
      params: { text: expect.stringContaining(start) },
    });
  }
  await page.getByRole("button", { name: "Open the file of components" }).click();
  await expectAsked(asked, { method: "host/openFile", params: { uri: experiment, beside: true } });
  await page.getByRole("button", { name: "Run ratio" }).click();
  await expectAsked(asked, {
    method: "host/command",
    params: { command: "leaf.runExperiment", config: other },
  });
  expect(await page.getByRole("button", { name: /^wrong cannot run/ }).isDisabled()).toBe(true);
  const job = runningJob(config, Date.now());
  model.projects[0]!.job = { ...job, kind: "experiment", experiment: other };
  await refresh();
  expect(
    await page.getByRole("button", { name: "Another job of this project is running" }).isDisabled(),
  ).toBe(true);
  await page.getByRole("button", { name: "Stop ratio" }).click();
  await expectAsked(asked, { method: "host/command", params: { command: "leaf.stop", config } });
});

test("grows while the experiment runs", async () => {
  const model = createModel();
  const now = Date.now();
  const job = runningJob(config, now);
  const running = growing(now, 1);
  model.experiments = [running];
  model.projects[0]!.job = {
    ...job,
    kind: "experiment",
    experiment: running.experiment,
    progress: { ...job.progress!, overall: { done: 1, total: 4 } },
  };
  const { page, refresh, shot } = await open({ model, tab: "runs", height: 1000 });
  await page.getByRole("progressbar", { name: "1 of 4 trainings" }).waitFor();
  const figures = page.locator("leaf-arm-table tbody td", { hasText: /^\s*0\.\d{3}/ });
  const chart = page.locator("leaf-chart").filter({ hasText: "SRCC of each arm" });
  await chart.locator(".drawing > svg").waitFor();
  const before = await figures.count();
  await shot("experiments-running-dark");
  model.experiments = [growing(now, 3)];
  model.projects[0]!.job.progress!.overall = { done: 3, total: 4 };
  await refresh();
  await page.getByRole("progressbar", { name: "3 of 4 trainings" }).waitFor();
  await expect.poll(() => figures.count(), { timeout: 8_000 }).toBe(3 * before);
  expect(await chart.locator('[aria-label="dot"]').last().locator("circle").count()).toBe(3);
  // One seed: the interval is that over images.
  expect(await wordsOf(chart)).toContain("95 % intervals over images");
});

test("says what is stale, wrong or not run yet; what was opened and closed is kept", async () => {
  const model = withExperiments();
  model.experiments[0]!.stale = true;
  const { page, kept } = await open({ model, tab: "runs", height: 1200 });
  await page.getByText("has changed since this table was made").waitFor();
  const item = (name: string) => page.locator("leaf-experiments li").filter({ hasText: name });
  expect(await wordsOf(item("components").locator(".line"))).toContain("stale");
  expect(await wordsOf(item("ratio"))).toContain("not run yet · 24 trainings");
  await page.getByRole("button", { name: "wrong", exact: true }).click();
  await page.getByText("wrong.experiment.yaml:3:7").waitFor();
  expect(await page.locator("leaf-arm-table").count()).toBe(0);
  expect(kept()?.tabs.runs).toMatchObject({ experiment: model.experiments[2]!.experiment });
  await page.getByRole("button", { name: "wrong", exact: true }).click();
  await expect.poll(() => kept()?.tabs.runs).toMatchObject({ experiment: null });
  expect(await page.locator("leaf-experiments .body").count()).toBe(0);
});

test("none yet: says how to begin, below the runs; a refusal does not hide the runs", async () => {
  const model = createModel();
  const { page, asked, refresh, shot } = await open({ model, tab: "runs" });
  const heading = page.getByRole("heading", { name: "Experiments" });
  await heading.waitFor();
  const below = await Promise.all([
    heading.boundingBox(),
    page.getByRole("heading", { name: "4 runs" }).boundingBox(),
  ]);
  expect(below[0]!.y).toBeGreaterThan(below[1]!.y);
  await shot("experiments-none-dark");
  await page.getByRole("button", { name: "New Experiment…" }).click();
  await expectAsked(asked, { method: "host/command", params: { command: "leaf.newExperiment", config } });
  // A file that appears is told of with a project that is as it was.
  model.experiments = makeExperiments(Date.now());
  await refresh();
  await page.getByRole("table", { name: "Experiment components" }).waitFor();

  const refused = createModel();
  refused.refusals.set("leaf/experiments", { code: "failed", message: "The folder cannot be read." });
  const other = await open({ model: refused, tab: "runs" });
  await other.page.getByText("The folder cannot be read.").waitFor();
  await other.page.getByRole("heading", { name: "4 runs" }).waitFor();
});
