import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { expectAsked, lastAsked } from "../support/asked.ts";
import { publishedFigures } from "../support/model/evaluation.ts";
import { createModel } from "../support/model/model.ts";
import { config } from "../support/model/project.ts";
import { makeReliability } from "../support/model/reliability.ts";
import { panels, wordsOf } from "../support/panelTest.ts";
import { themes } from "../support/themes.ts";

const open = panels();
const newest = (model: ReturnType<typeof createModel>) => model.evaluations.get("r12")!;
const minus = (text: string) => text.replace("-", "−");

test.each(themes)("figures, scatter, worst errors and arms in %s", async (theme) => {
  const model = createModel();
  newest(model).paper = publishedFigures;
  const { page, shot } = await open({ model, theme, tab: "metrics", height: 1560 });
  const { evaluation, points, arms } = newest(model);
  const figures = page.locator("leaf-figures");
  await figures.getByText("SRCC").waitFor();
  const shown = await wordsOf(figures);
  for (const value of [
    evaluation.srcc!,
    evaluation.plcc!,
    evaluation.plccLogistic!,
    evaluation.krcc!,
    evaluation.rmse,
  ])
    expect(shown).toContain(value.toFixed(3));
  const [low, high] = evaluation.ci95.srcc!;
  expect(shown).toContain(`95 %: [${low.toFixed(3)}, ${high.toFixed(3)}]`);
  expect(shown.match(/n = 80/g)).toHaveLength(5);

  const chart = page.locator("leaf-chart").filter({ hasText: "Predicted against MOS" });
  expect(await chart.locator('[aria-label="dot"] circle').count()).toBe(points.length);
  expect(await chart.locator('[aria-label="line"] path').count()).toBe(2);
  expect(await chart.locator('[aria-label="rect"]').count()).toBe(2);

  const table = page.locator("leaf-arms").getByRole("table").first();
  for (const { metrics } of arms) expect(await table.innerText()).toContain(metrics!.srcc!.toFixed(3));
  expect(await table.innerText()).toContain("Published: LEAF on AGIQA-3K");
  await page.locator("leaf-worst img").first().waitFor();
  await shot(`metrics-${theme}`);
});

test("how far people agree stands beside the figures, where single ratings are known", async () => {
  const model = createModel();
  const figures = (page: Page) => page.locator("leaf-figures");
  const without = await open({ model, tab: "metrics" });
  await figures(without.page).getByText("SRCC").waitFor();
  expect(await wordsOf(figures(without.page))).not.toContain("People");
  newest(model).evaluation.ceiling = {
    images: 80,
    ratings: 12.5,
    alpha: 0.612,
    alphaCi95: [0.55, 0.66],
    splitHalf: 0.874,
    reliability: 0.933,
    srcc: 0.966,
    ci95: [0.951, 0.977],
  };
  const { page } = await open({ model, tab: "metrics" });
  await figures(page).getByText("SRCC 0.966 [0.951, 0.977]").waitFor();
  expect(await wordsOf(figures(page))).toContain(
    "halves of the ratings agree by 0.874, Krippendorff’s alpha is 0.612",
  );
});

test("of several targets one is shown, and another asked for", async () => {
  const model = createModel();
  newest(model).target = { name: "quality", names: ["quality", "noise"] };
  const { page, asked } = await open({ model, tab: "metrics" });
  const target = page.getByRole("combobox", { name: "Target" });
  await target.selectOption({ label: "noise" }).catch(async () => {
    await target.click();
    await page.getByRole("option", { name: "noise" }).click();
  });
  await expect.poll(() => lastAsked(asked, "leaf/evaluation")?.params).toEqual({ config, target: "noise" });
  newest(model).target = undefined;
  const one = await open({ model, tab: "metrics" });
  await one.page.locator("leaf-figures").getByText("SRCC").waitFor();
  expect(await one.page.getByRole("combobox", { name: "Target" }).count()).toBe(0);
});

test("where charts cannot be fetched, their numbers stand there as tables", async () => {
  const model = createModel();
  const { page, problems } = await open({ model, tab: "metrics", missing: "**/plotLibrary-*.js" });
  const chart = page.locator("leaf-chart").filter({ hasText: "Predicted against MOS" });
  await chart.getByRole("table").waitFor();
  expect(await chart.getByRole("row").count()).toBe(1 + newest(model).points.length);
  // What the browser says of the file.
  for (const problem of problems.splice(0)) expect(problem).toContain("Failed to load resource");
});

test("a click on a point shows its image, and its actions open it", async () => {
  const model = createModel();
  const { page, asked, kept } = await open({ model, tab: "metrics" });
  const circle = page.locator('leaf-chart [aria-label="dot"] circle').nth(17);
  const point = newest(model).points[17]!;
  await circle.click({ force: true });
  const card = page.locator("leaf-image-card");
  await card.getByText(point.path).waitFor();
  const picture = card.getByRole("img", { name: point.path });
  await picture.waitFor();
  expect(await picture.evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth))).toBe(
    320,
  );
  const words = await wordsOf(card);
  for (const value of [point.score, point.mos]) expect(words).toContain(value.toFixed(2));
  expect(words).toContain(minus(Math.abs(point.score - point.mos).toFixed(2)));
  expect(kept()?.tabs.metrics).toMatchObject({ selected: point.hash });

  await card.getByRole("button", { name: "Open file" }).click();
  await expectAsked(asked, {
    method: "host/openFile",
    params: { uri: `file:///workspace/shop/${point.path}`, beside: true },
  });
  await card.getByRole("button", { name: "Show in gallery" }).click();
  expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Gallery");
});

test("arrow keys go from image to image, by score and by MOS", async () => {
  const model = createModel();
  const { page } = await open({ model, tab: "metrics" });
  const { points } = newest(model);
  const byScore = [...points].sort((a, b) => a.score - b.score);
  const byMos = [...points].sort((a, b) => a.mos - b.mos);
  const card = page.locator("leaf-image-card");
  await page.getByRole("application", { name: /Predicted against MOS/ }).focus();
  await page.keyboard.press("Home");
  await card.getByText(byScore[0]!.path).waitFor();
  await page.keyboard.press("ArrowRight");
  await card.getByText(byScore[1]!.path).waitFor();
  await page.keyboard.press("ArrowUp");
  const next = byMos[byMos.findIndex(({ hash }) => hash === byScore[1]!.hash) + 1]!;
  await card.getByText(next.path).waitFor();
  // The ring is where the point is.
  const ring = page.locator('leaf-chart circle[fill="none"]');
  const place = await ring.evaluate((one) => [one.getAttribute("cx"), one.getAttribute("cy")]);
  const at = points.findIndex(({ hash }) => hash === next.hash);
  const circle = page.locator('leaf-chart [aria-label="dot"] circle').nth(at);
  const expected = await circle.evaluate((one) => [one.getAttribute("cx"), one.getAttribute("cy")]);
  for (const [axis, value] of place.entries()) expect(Number(value)).toBeCloseTo(Number(expected[axis]), 3);
});

test("the worst errors come first, with their sign", async () => {
  const model = createModel();
  const { page } = await open({ model, tab: "metrics" });
  const errors = newest(model)
    .points.map(({ score, mos }) => score - mos)
    .sort((a, b) => Math.abs(b) - Math.abs(a));
  const signs = page.locator("leaf-worst strong");
  await signs.first().waitFor();
  const shown = await signs.allInnerTexts();
  expect(shown).toEqual(
    errors.slice(0, 12).map((error) => (error > 0 ? "+" : "−") + Math.abs(error).toFixed(2)),
  );
  await page.getByRole("button", { name: "Show more (12 of 80)" }).click();
  expect(await signs.count()).toBe(36);
});

test("copies as CSV and as an SVG with the colours of the theme written out", async () => {
  const model = createModel({ images: 60 });
  const { page, asked } = await open({ model, tab: "metrics", theme: "light" });
  const chart = page.locator("leaf-chart").filter({ hasText: "Predicted against MOS" });
  await chart.getByRole("button", { name: "Copy as CSV" }).click();
  await expect.poll(() => lastAsked(asked, "host/copy")).toBeDefined();
  const lines: string[] = lastAsked(asked, "host/copy")!.params.text.trimEnd().split("\n");
  const { points } = newest(model);
  expect(lines[0]).toBe("image,score,MOS,teacher");
  expect(lines[1]).toBe([points[0]!.path, points[0]!.score, points[0]!.mos, points[0]!.teacher].join(","));
  expect(lines).toHaveLength(points.length + 1);

  await chart.getByRole("button", { name: "Copy as SVG" }).click();
  await expect.poll(() => String(lastAsked(asked, "host/copy")?.params.text).startsWith("<svg")).toBe(true);
  const svg: string = lastAsked(asked, "host/copy")!.params.text;
  expect(svg).not.toContain("var(");
  expect(svg).toContain("rgb(26, 133, 255)");
  const read = await page.evaluate((source) => {
    const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
    return {
      faults: parsed.querySelectorAll("parsererror").length,
      dots: parsed.querySelectorAll("circle").length,
    };
  }, svg);
  expect(read).toEqual({ faults: 0, dots: points.length });
});

test("another run is chosen by the list, and kept", async () => {
  const model = createModel();
  const { page, kept } = await open({ model, tab: "metrics" });
  await page.getByRole("combobox", { name: "Run" }).click();
  await page.getByRole("option", { name: /^r10/ }).click();
  const srcc = model.evaluations.get("r10")!.evaluation.srcc!.toFixed(3);
  await page.locator("leaf-figures").getByText(srcc, { exact: true }).waitFor();
  expect(kept()?.tabs.metrics).toMatchObject({ run: "r10" });
});

test("follows a new evaluation by itself", async () => {
  const model = createModel();
  const { page, refresh } = await open({ model, tab: "metrics" });
  await page.locator("leaf-figures").waitFor();
  const view = structuredClone(newest(model));
  view.run = view.evaluation.run = "r13";
  view.evaluation.srcc = 0.777;
  model.evaluations.set("r13", view);
  const stage = model.projects[0]!.stages[3]!;
  model.projects[0]!.stages[3] = { ...stage, run: "r13", updated: new Date().toISOString() };
  await refresh();
  await page.locator("leaf-figures").getByText("0.777", { exact: true }).waitFor();
});

test("empty: with human scores it offers to run, without to rate", async () => {
  const model = createModel({ images: 40, standing: "new" });
  const { page, asked, refresh, shot } = await open({ model, tab: "metrics" });
  await page.getByRole("heading", { name: "Nothing has been evaluated yet" }).waitFor();
  await page.getByRole("button", { name: "Run Pipeline" }).click();
  await expectAsked(asked, { method: "host/command", params: { command: "leaf.run", config } });
  model.projects[0]!.mos = null;
  await refresh();
  await page.getByText("Metrics need human scores (MOS).").waitFor();
  await shot("metrics-empty-dark");
  await page.getByRole("button", { name: "Rate images" }).click();
  expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Rate");
});

test("draws 5,000 points and steps through them without delay", async () => {
  const model = createModel({ images: 25_000, pairs: 0 });
  expect(newest(model).points).toHaveLength(5000);
  const started = performance.now();
  const { page } = await open({ model, tab: "metrics" });
  const chart = page.getByRole("application", { name: /5000 images/ });
  await chart.waitFor();
  const opened = performance.now() - started;
  await chart.focus();
  const step = await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    let target: Element | null = document.activeElement;
    while (target?.shadowRoot?.activeElement) target = target.shadowRoot.activeElement;
    const from = performance.now();
    for (let turn = 0; turn < 10; turn++) {
      target!.dispatchEvent(
        new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, composed: true }),
      );
      await frame();
    }
    return (performance.now() - from) / 10;
  });
  console.log(`5,000 points: open ${opened.toFixed(0)} ms, a step ${step.toFixed(1)} ms`);
  expect(step).toBeLessThan(250);
});

test("the teacher's reliability is computed when asked for, and its confident errors lead to their pairs", async () => {
  const model = createModel();
  const { page, asked, shot } = await open({ model, tab: "metrics", height: 2400 });
  const section = page.locator("leaf-reliability");
  await section.getByRole("button", { name: "Check the Teacher" }).click();
  const charts = section.locator("leaf-chart");
  await charts.first().waitFor();
  const expected = makeReliability(model.images, model.pairs);
  const filled = expected.pairs!.bins.filter(({ n }) => n > 0).length;
  expect(await charts.first().locator('[aria-label="dot"] circle').count()).toBe(filled);
  const words = await wordsOf(section);
  expect(words).toContain("The order of the question decides 12.0 % of 300 pairs.");
  expect(words).toContain("from a confidence of 0.14 on");
  const row = section.getByRole("row", { name: /^Pairs, these scaled by T = 1.60/ });
  expect(await row.innerText()).toContain("0.020");
  const [first] = expected.confidentErrors;
  const errors = section.locator("leaf-confident-errors li");
  expect(await errors.count()).toBe(expected.confidentErrors.length);
  await errors.first().locator("img").first().waitFor();
  await section.scrollIntoViewIfNeeded();
  await shot("metrics-reliability");
  await errors.first().getByRole("button").click();
  expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Pairs");
  await expect
    .poll(() => asked.findLast(({ method }) => method === "leaf/pairs")?.params)
    .toMatchObject({ query: { image: first!.better.hash } });
});

test("a reliability that cannot be had is told in its place", async () => {
  const model = createModel();
  model.refusals.set("leaf/reliability", { code: "failed", message: "No pair of rated images was judged." });
  const { page } = await open({ model, tab: "metrics" });
  await page.getByRole("button", { name: "Check the Teacher" }).click();
  await page.locator("leaf-reliability").getByText("No pair of rated images was judged.").waitFor();
  await page.locator("leaf-arms").getByRole("table").first().waitFor();
});

test("findings stand above the figures with their remedies, and nothing where there are none", async () => {
  const model = createModel();
  newest(model).evaluation.findings = [
    {
      code: "belowTeacher",
      message: "The student ranks worse than its teacher (SRCC 0.61 against 0.75).",
      remedy: "Distill for more epochs.",
    },
  ];
  const { page, shot } = await open({ model, tab: "metrics" });
  const finding = page.locator("leaf-findings li");
  await finding.getByText("The student ranks worse than its teacher").waitFor();
  expect(await wordsOf(page.locator("leaf-findings"))).toContain("Distill for more epochs.");
  await shot("metrics-findings");
  const plain = await open({ model: createModel(), tab: "metrics" });
  await plain.page.locator("leaf-figures").getByText("SRCC").waitFor();
  expect(await plain.page.locator("leaf-findings li").count()).toBe(0);
});

test("other datasets: both students on each, and nothing where there are none", async () => {
  const model = createModel();
  const { n: _, ...metrics } = newest(model).evaluation;
  const cell = { ...metrics, n: 1234, srcc: 0.612 };
  const hostile = `<b>${"long-".repeat(20)}</b>.leaf.yaml`;
  newest(model).evaluation.transfer = {
    datasets: ["koniq.yaml", hostile],
    rows: [
      {
        student: "distill",
        cells: [{ ...cell, ci95: { srcc: [0.55, 0.661], plcc: null }, failed: 0, seen: 0, far: 40 }, null],
      },
      {
        student: "calibrate",
        cells: [
          {
            ...cell,
            ci95: { srcc: [0.55, 0.661], plcc: [0.5, 0.7] },
            srcc: 0.634,
            plcc: -0.1,
            failed: 3,
            seen: 7,
            far: null,
          },
          null,
        ],
      },
    ],
  };
  const { page, shot } = await open({ model, tab: "metrics", height: 2400 });
  const table = page.locator("leaf-transfer").getByRole("table");
  await table.waitFor();
  const rows = table.getByRole("row");
  expect(await wordsOf(rows.first())).toBe(`Student koniq.yaml ${hostile}`);
  expect(await wordsOf(rows.nth(1))).toContain("Distilled (TGD) SRCC 0.612 [0.550, 0.661]");
  expect(await wordsOf(rows.nth(1))).toContain("n = 1,234 · 40 far too few images to compare");
  const calibrated = await wordsOf(rows.nth(2));
  expect(calibrated).toContain("SRCC 0.634 [0.550, 0.661] PLCC −0.100 [0.500, 0.700]");
  expect(calibrated).toContain("n = 1,234 · 7 seen in training left out · 3 could not be scored");
  await table.scrollIntoViewIfNeeded();
  await shot("metrics-transfer");
  const plain = await open({ model: createModel(), tab: "metrics" });
  await plain.page.locator("leaf-arms").getByRole("table").first().waitFor();
  expect(await plain.page.locator("leaf-transfer").count()).toBe(0);
});
