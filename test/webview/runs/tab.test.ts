import { expect, test } from "vitest";
import { createModel } from "../support/model/model.ts";
import { config } from "../support/model/project.ts";
import { makeCurves } from "../support/model/runs.ts";
import { panels } from "../support/panelTest.ts";
import { themes } from "../support/themes.ts";

const open = panels();
const signed = (value: number) => (value > 0 ? "+" : "−") + Math.abs(value).toFixed(3);

test.each(themes)("two runs are compared: differences and curves, in %s", async (theme) => {
  const model = createModel();
  const { page, asked, shot } = await open({ model, theme, tab: "runs", height: 1150 });
  await page.getByRole("checkbox", { name: "Select r12" }).check();
  await page.getByText("Select two or more runs").waitFor();
  await page.getByRole("checkbox", { name: "Select r10" }).check();
  await page.getByRole("heading", { name: "What differs" }).waitFor();
  const rows = await page.locator("leaf-comparison").getByRole("row").allInnerTexts();
  expect(rows.map((row) => row.split(/\s+/).filter(Boolean))).toEqual([
    ["Setting", "r12", "r10"],
    ["calibrate.ratio", "0.3", "0.1"],
    ["distill.loss.pair", "2", "1"],
    ["label.minConfidence", "0.2", "0.1"],
  ]);
  const chart = page.locator("leaf-chart").filter({ hasText: "Distill Student: validation SRCC" });
  await chart.locator(".drawing > svg").waitFor();
  expect(asked.filter(({ method }) => method === "leaf/curves").map(({ params }) => params.run)).toEqual([
    "r12",
    "r10",
  ]);
  await page.locator("leaf-chart").nth(3).locator(".drawing > svg").waitFor();
  await shot(`runs-${theme}`);
  await chart.getByRole("button", { name: "Show as table" }).click();
  const last = (await chart.getByRole("row").last().innerText()).split(/\s+/).filter(Boolean);
  const [one, two] = ["r12", "r10"].map((run) => makeCurves(run).distill.at(-1)!);
  expect(last).toEqual([one!.epoch, one!.srcc, two!.srcc].map(String));
});

test("each figure has its difference from the run before, or from the chosen baseline", async () => {
  const model = createModel();
  const { page, kept } = await open({ model, tab: "runs" });
  const srcc = (run: string) => model.evaluations.get(run)!.evaluation.srcc!;
  const row = (run: string) =>
    page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: run }) });
  await row("r12").waitFor();
  expect(await row("r12").innerText()).toContain(signed(srcc("r12") - srcc("r11")));
  expect(await row("r11").innerText()).toContain(signed(srcc("r11") - srcc("r10")));
  expect(await row("r9").locator(".delta").count()).toBe(0);
  await page.getByRole("combobox", { name: "Differences are against" }).click();
  await page.getByRole("option", { name: "r9" }).click();
  await page.getByText("(baseline)").waitFor();
  expect(await row("r12").innerText()).toContain(signed(srcc("r12") - srcc("r9")));
  expect(kept()?.tabs.runs).toMatchObject({ baseline: "r9" });
});

test.each(themes)(
  "runs of several configs are told apart, and this one's are shown first, in %s",
  async (theme) => {
    const model = createModel();
    const [r12, r11, r10, r9] = model.runs as [(typeof model.runs)[0], ...typeof model.runs];
    const night = config.replace(/[^/]*$/, "night.leaf.yaml");
    model.runs = [
      { ...r12, previous: "r10" },
      { ...r11!, config: night, previous: "r9", changes: [] },
      { ...r10!, previous: null, changes: [] },
      { ...r9!, config: night },
    ];
    const { page, kept, shot } = await open({ model, theme, tab: "runs" });
    const ids = async () =>
      (await page.locator("tbody th[scope=row]").allInnerTexts()).map((id) => id.trim());
    await page.getByRole("heading", { name: "2 runs" }).waitFor();
    expect(await ids()).toEqual(["r12", "r10"]);
    expect(await page.getByRole("columnheader", { name: "Config" }).count()).toBe(0);
    await page.getByRole("combobox", { name: "Config" }).click();
    await page.getByRole("option", { name: "All configs" }).click();
    await page.getByRole("columnheader", { name: "Config" }).waitFor();
    expect(await ids()).toEqual(["r12", "r11", "r10", "r9"]);
    expect(kept()?.tabs.runs).toMatchObject({ config: "all" });
    const row = (run: string) =>
      page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: run }) });
    const srcc = (run: string) => model.evaluations.get(run)!.evaluation.srcc!;
    expect(await row("r12").innerText()).toContain(signed(srcc("r12") - srcc("r10")));
    expect(await row("r11").innerText()).toContain(signed(srcc("r11") - srcc("r9")));
    expect(await row("r11").innerText()).toContain("night.leaf.yaml");
    expect(await row("r10").locator(".delta").count()).toBe(0);
    expect(await row("r10").innerText()).toContain("first run");
    await shot(`runs-configs-${theme}`);
    await page.getByRole("combobox", { name: "Differences are against" }).click();
    await page.getByRole("option", { name: "r9" }).click();
    await page.getByText("(baseline)").waitFor();
    expect(await row("r12").locator("td.changes").innerText()).toContain("distill.epochs: 20 → 30");
  },
);

test("sorts by each column, and back", async () => {
  const { page } = await open({ model: createModel(), tab: "runs" });
  const ids = async () => (await page.locator("tbody th[scope=row]").allInnerTexts()).map((id) => id.trim());
  await page.getByRole("button", { name: "SRCC", exact: true }).click();
  expect(await ids()).toEqual(["r12", "r11", "r10", "r9"]);
  await page.getByRole("button", { name: "SRCC", exact: true }).click();
  expect(await ids()).toEqual(["r9", "r10", "r11", "r12"]);
  await page.getByRole("button", { name: "RMSE" }).click();
  expect(await ids()).toEqual(["r12", "r11", "r10", "r9"]);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  expect(await ids()).toEqual(["r9", "r10", "r11", "r12"]);
});

test("pins and unpins", async () => {
  const { page, model, asked } = await open({ model: createModel(), tab: "runs" });
  await page.getByRole("button", { name: "Pin r12" }).click();
  await page.getByRole("button", { name: "Unpin r12" }).waitFor();
  expect(asked.find(({ method }) => method === "leaf/pinRun")?.params).toEqual({
    config,
    run: "r12",
    pinned: true,
  });
  await page.getByRole("button", { name: "Unpin r10" }).click();
  await page.getByRole("button", { name: "Pin r10" }).waitFor();
  expect(model.runs.filter(({ pinned }) => pinned).map(({ id }) => id)).toEqual(["r12"]);
});

test("a new run appears by itself; none yet says what will be here", async () => {
  const model = createModel();
  const runs = model.runs;
  model.runs = [];
  const { page, refresh, shot } = await open({ model, tab: "runs" });
  await page.getByRole("heading", { name: "No runs yet" }).waitFor();
  await shot("runs-empty-dark");
  model.runs = runs;
  await refresh();
  await page.getByRole("heading", { name: "4 runs" }).waitFor();
});
