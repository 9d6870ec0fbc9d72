import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { panelAssets } from "../../../scripts/panelBuild.js";
import { panelOutline } from "../../../src/extension/panel/html.ts";
import { english } from "../../../src/words/translate.ts";
import { expectAsked } from "../support/asked.ts";
import { runningJob } from "../support/model/job.ts";
import { createModel } from "../support/model/model.ts";
import { config } from "../support/model/project.ts";
import { expectFits, panels } from "../support/panelTest.ts";

const open = panels();

test("opens on what matters now: nothing yet, running, done", async () => {
  const shown = async (model: ReturnType<typeof createModel>) => {
    const { page } = await open({ model });
    return (await page.getByRole("tab", { selected: true }).textContent())?.trim();
  };
  expect(await shown(createModel({ images: 40, standing: "new" }))).toBe("Run");
  const running = createModel({ images: 40 });
  running.projects[0]!.job = runningJob(config, Date.now());
  expect(await shown(running)).toBe("Run");
  expect(await shown(createModel({ images: 40 }))).toBe("Metrics");
});

test("goes from tab to tab by Ctrl+Alt+digit and by arrows, and each tab names its key", async () => {
  const { page, kept } = await open({ model: createModel({ images: 40 }) });
  const selected = page.getByRole("tab", { selected: true });
  await page.getByRole("tab", { name: "Runs" }).waitFor();
  expect(await page.getByRole("tab", { name: "Runs" }).getAttribute("title")).toBe("Runs (Ctrl+Alt+6)");
  await page.keyboard.press("Control+Alt+6");
  await page.getByRole("heading", { name: "4 runs" }).waitFor();
  expect(await selected.textContent()).toBe("Runs");
  expect(kept()).toMatchObject({ config, tab: "runs" });

  await selected.focus();
  await page.keyboard.press("ArrowRight");
  expect((await selected.textContent())?.trim()).toBe("Run");
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("heading", { name: "4 runs" }).waitFor();
  // The focus stays on the tab list, so that arrows go on.
  expect(await selected.evaluate((tab) => tab.matches(":focus"))).toBe(true);
});

test("is where it was left after a reload", async () => {
  const { page } = await open({ model: createModel({ images: 40 }), tab: "runs" });
  await page.getByRole("button", { name: "RMSE" }).click();
  await page.getByRole("checkbox", { name: "Select r11" }).check();
  await page.reload();
  await page.getByRole("heading", { name: "4 runs" }).waitFor();
  expect(await page.getByRole("checkbox", { name: "Select r11" }).isChecked()).toBe(true);
  expect(await page.getByRole("columnheader", { name: "RMSE" }).getAttribute("aria-sort")).toBe("ascending");
});

test("asks which project where there are several, and goes to it", async () => {
  const model = createModel({ images: 40 });
  const other = "file:///workspace/renders/leaf.yaml";
  model.projects.push({ ...model.projects[0]!, config: other, name: "renders/leaf.yaml" });
  const { page, asked, kept, shot } = await open({ model, tab: "runs" });
  const picker = page.getByRole("combobox", { name: "Project" });
  expect((await picker.textContent())?.trim()).toContain("shop/leaf.yaml");
  await picker.click();
  await page.getByRole("option", { name: "renders/leaf.yaml" }).click();
  await expect.poll(() => kept()?.config).toBe(other);
  await expect
    .poll(() => asked.findLast(({ method }) => method === "leaf/runs"))
    .toEqual({ method: "leaf/runs", params: { config: other } });
  await shot("shell-picker-dark");
});

test("without a config it says how to begin", async () => {
  const model = createModel({ images: 4 });
  model.projects = [];
  const { page, asked, shot } = await open({ model });
  await page.getByRole("button", { name: "New Config" }).click();
  await page.getByRole("button", { name: "Open Demo Workspace" }).click();
  expect(asked).toEqual([
    { method: "host/command", params: { command: "leaf.newConfig", config: null } },
    { method: "host/command", params: { command: "leaf.openDemo", config: null } },
  ]);
  await shot("shell-begin-dark");
});

test("a config that appears takes the place of the beginning", async () => {
  const model = createModel({ images: 40, standing: "new" });
  const projects = model.projects;
  model.projects = [];
  const { page, post } = await open({ model });
  await page.getByRole("button", { name: "New Config" }).waitFor();
  await post({ type: "projects", projects });
  await page.getByRole("heading", { name: "Nothing has run yet" }).waitFor();
});

test("goes where the editor asks it to", async () => {
  const { page, post } = await open({ model: createModel({ images: 40 }) });
  await post({ type: "show", config, tab: "runs", focus: { runs: ["r11", "r12"] } });
  await page.getByRole("heading", { name: "What differs" }).waitFor();
  expect(await page.getByRole("checkbox", { name: "Select r12" }).isChecked()).toBe(true);
  expect(await page.getByRole("checkbox", { name: "Select r9" }).isChecked()).toBe(false);
});

test("a refusal is one sentence, the place and the way out", async () => {
  const model = createModel({ images: 40 });
  model.refusals.set("leaf/runs", {
    code: "failed",
    message: "runs/r11/run.json cannot be read: it is cut off.",
    remedy: "Delete that run, or restore the file.",
    file: ".leaf/runs/r11/run.json",
  });
  const { page, asked, shot } = await open({ model, tab: "runs" });
  const alert = page.getByRole("alert");
  await alert.waitFor();
  expect(await alert.innerText()).toContain("runs/r11/run.json cannot be read: it is cut off.");
  expect(await alert.innerText()).toContain("Delete that run, or restore the file.");
  await shot("shell-refusal-dark");
  await page.getByRole("button", { name: "Open run.json" }).click();
  await expectAsked(asked, {
    method: "host/openFile",
    params: { uri: "file:///workspace/shop/.leaf/runs/r11/run.json" },
  });
  model.refusals.clear();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "4 runs" }).waitFor();
});

test.each(["run", "metrics", "runs"] as const)(
  "%s fits a width of 350 px, and twice the size",
  async (tab) => {
    const narrow = await open({ model: createModel({ images: 40 }), tab, width: 350, height: 900 });
    await narrow.page.getByRole("heading").first().waitFor();
    await expectFits(narrow);
    await narrow.shot(`${tab}-narrow-dark`);
    const zoomed = await open({ model: createModel({ images: 40 }), tab, zoom: 2, theme: "light" });
    await zoomed.page.getByRole("heading").first().waitFor();
    await expectFits(zoomed);
    await zoomed.shot(`${tab}-zoom-light`);
  },
);

test.each([
  [1200, 1],
  [350, 1],
  [1200, 2],
])(
  "before the script has run the tabs stand where they will be: %i px, %i projects",
  async (width, projects) => {
    const model = createModel({ images: 40 });
    for (let i = 1; i < projects; i++)
      model.projects.push({
        ...model.projects[0]!,
        config: `file:///workspace/${i}/leaf.yaml`,
        name: `${i}/leaf.yaml`,
      });
    const { page } = await open({ model, tab: "runs", width });
    await page.getByRole("tab", { name: "Runs" }).waitFor();
    expect(await page.locator("#outline").count()).toBe(0);
    const places = await page.evaluate(
      (html) => {
        document.body.insertAdjacentHTML("afterbegin", html);
        const app = document.querySelector("leaf-app")!.shadowRoot!;
        const bar = app.querySelector("leaf-tab-bar")!.shadowRoot!;
        const boxes = (elements: Iterable<Element>) =>
          Array.from(elements, (element) => {
            const { x, y, width, height } = element.getBoundingClientRect();
            return [x, y, width, height];
          });
        return {
          outline: boxes(document.querySelectorAll("#outline, #outline .tabs span")),
          tabs: boxes([app.querySelector("header")!, ...bar.querySelectorAll("button")]),
        };
      },
      panelOutline(english, model.projects),
    );
    expect(places.tabs).toHaveLength(7);
    for (const [i, box] of places.tabs.entries())
      for (const [side, value] of box.entries()) expect(places.outline[i]![side]).toBeCloseTo(value, 0);
  },
);

test("icons are those of the editor's font", async () => {
  const { codePoints } = await import("../../../webview/ui/iconNames.ts");
  const css = readFileSync(panelAssets[0]!.replace(/ttf$/, "css"), "utf8");
  for (const [name, point] of Object.entries(codePoints))
    expect(css).toContain(`.codicon-${name}:before { content: "\\${point.toString(16)}" }`);
});
