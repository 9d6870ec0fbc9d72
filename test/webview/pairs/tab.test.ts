import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ImagePane } from "../../../webview/pictures/pane.ts";
import { expectAsked } from "../support/asked.ts";
import { type FakeEditor, type OpenPanel, type PanelOptions, startEditor } from "../support/fakeEditor.ts";
import { createModel } from "../support/model/model.ts";
import { allThemes } from "../support/themes.ts";

let editor: FakeEditor;
let panel: OpenPanel;
beforeAll(async () => {
  editor = await startEditor();
});
afterAll(() => editor.close());
afterEach(async () => {
  const { problems } = panel;
  await panel.close();
  expect(problems).toEqual([]);
});

async function open(options: PanelOptions = {}) {
  panel = await editor.open({ tab: "pairs", ...options });
  await panel.page.locator("leaf-pair-view img.full:not(.waits)").nth(1).waitFor();
  return panel.page;
}

const place = () => panel.page.locator("leaf-pairs .place").textContent();
const words = () => panel.page.locator("leaf-judgement-bar .word").textContent();
const overruled = () =>
  panel.asked.filter(({ method }) => method === "leaf/overrulePair").map((one) => one.params);

/** What each pane shows: the part of the image, and where its picture lies in the pane. */
async function shown() {
  return panel.page.locator("leaf-pair-view leaf-image-pane").evaluateAll((panes) =>
    (panes as ImagePane[]).map((pane) => {
      const outer = pane.getBoundingClientRect();
      const inner = pane.shadowRoot!.querySelector("img.full")!.getBoundingClientRect();
      const round = (value: number) => Math.round(value * 10) / 10;
      return {
        region: pane.region,
        picture: [inner.x - outer.x, inner.y - outer.y, inner.width, inner.height].map(round),
        scale: pane.screenScale,
      };
    }),
  );
}

/** Two landscape images: the same size, so that the same region is the same pixels. */
function landscapes() {
  const model = createModel();
  model.pairs = model.pairs.filter(({ a, b }) => a.width > a.height && b.width > b.height);
  return model;
}

test("wheel and drag in one image move both to the same region", async () => {
  const page = await open({ model: landscapes() });
  const [fit] = await shown();
  expect(fit?.region).toEqual({ x: [0, 1], y: [0, 1] });

  const b = (await page.locator("leaf-pair-view leaf-image-pane").nth(1).boundingBox())!;
  const before = (await shown())[1]!;
  const pointer = { x: b.width * 0.7, y: b.height * 0.4 };
  await page.mouse.move(b.x + pointer.x, b.y + pointer.y);
  await page.mouse.wheel(0, -600);
  await expect.poll(async () => (await shown())[0]!.scale).toBeGreaterThan(before.scale * 2);
  let [one, other] = await shown();
  expect(one).toEqual(other);
  // What was under the pointer still is.
  const under = (picture: number[]) => [
    (pointer.x - picture[0]!) / picture[2]!,
    (pointer.y - picture[1]!) / picture[3]!,
  ];
  const [x, y] = under(before.picture);
  expect(under(other!.picture)[0]).toBeCloseTo(x!, 2);
  expect(under(other!.picture)[1]).toBeCloseTo(y!, 2);

  const a = (await page.locator("leaf-pair-view leaf-image-pane").nth(0).boundingBox())!;
  await page.mouse.move(a.x + 100, a.y + 100);
  await page.mouse.down();
  await page.mouse.move(a.x + 150, a.y + 130, { steps: 4 });
  await page.mouse.up();
  const moved = await shown();
  expect(moved[0]).toEqual(moved[1]);
  expect(moved[0]!.picture[0]! - one!.picture[0]!).toBeCloseTo(50, 0);
  expect(moved[0]!.picture[1]! - one!.picture[1]!).toBeCloseTo(30, 0);

  // Actual size is one to one on this screen; over two screen pixels a pixel, pixels are drawn as such.
  await page.keyboard.press("1");
  [one, other] = await shown();
  expect(one!.scale).toBeCloseTo(1, 9);
  expect(other).toEqual(one);
  expect(await page.locator("leaf-pair-view img.pixels").count()).toBe(0);
  for (let i = 0; i < 3; i++) await page.keyboard.press("+");
  await expect.poll(() => page.locator("leaf-pair-view img.full.pixels").count()).toBe(2);
  expect(await page.locator("leaf-pair-view .scale").allTextContents()).toEqual(["338 %", "338 %"]);
  await page.keyboard.press("0");
  expect((await shown())[0]!.region).toEqual({ x: [0, 1], y: [0, 1] });
});

test("double click changes between the whole image and its actual size, and shift with arrows moves it", async () => {
  const page = await open({ model: landscapes(), width: 900, height: 700 });
  await page.locator("leaf-pair-view leaf-image-pane").first().dblclick();
  expect((await shown())[1]!.scale).toBeCloseTo(1, 9);
  const before = await shown();
  await page.keyboard.press("Shift+ArrowRight");
  const after = await shown();
  expect(after[0]!.picture[0]).toBe(before[0]!.picture[0]! - 80);
  expect(after[0]).toEqual(after[1]);
  expect(overruled()).toEqual([]);
  await page.locator("leaf-pair-view leaf-image-pane").first().dblclick();
  expect((await shown())[0]!.region).toEqual({ x: [0, 1], y: [0, 1] });
});

test("arrows, = and s overrule or skip and go on; u takes back", async () => {
  const page = await open();
  const [first, second, third] = panel.model.pairs;
  expect(await place()).toBe("Pair 1 of 300");
  await page.keyboard.press("ArrowRight");
  await expect.poll(place).toBe("Pair 2 of 300");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("=");
  await page.keyboard.press("s");
  await expect.poll(place).toBe("Pair 5 of 300");
  await expect.poll(overruled).toEqual(
    [first, second, third].map((pair, at) => ({
      config: "file:///workspace/shop/leaf.yaml",
      a: pair!.a.hash,
      b: pair!.b.hash,
      p: [0, 1, 0.5][at],
    })),
  );
  expect(panel.model.pairs.slice(0, 4).map(({ human }) => human)).toEqual([0, 1, 0.5, null]);
  expect(await page.locator("leaf-pair-strip .tick").count()).toBe(3);

  await page.keyboard.press("Home");
  await expect.poll(words).toBe("You: B is better");
  expect(await page.locator("leaf-judgement-bar .tag").first().textContent()).toBe("overruled");
  expect(await page.getByRole("button", { name: "B better" }).getAttribute("aria-pressed")).toBe("true");
  await page.keyboard.press("u");
  await expect.poll(words).toMatch(/^Teacher: /);
  expect(panel.model.pairs[0]!.human).toBeNull();
  expect(await place()).toBe("Pair 1 of 300");

  // On a pair without one's own word, the newest word is taken back, and its pair is shown.
  await page.keyboard.press("End");
  await expect.poll(place).toBe("Pair 300 of 300");
  await page.keyboard.press("Backspace");
  await expect.poll(place).toBe("Pair 3 of 300");
  await expect.poll(() => panel.model.pairs[2]!.human).toBeNull();
  expect(panel.model.pairs[1]!.human).toBe(1);
});

test("a refused word is taken back on the screen, with the reason", async () => {
  const page = await open();
  const before = await words();
  panel.model.refusals.set("leaf/overrulePair", {
    code: "failed",
    message: "labels.sqlite is locked by another process.",
    remedy: "End the other run, then try again.",
  });
  await page.keyboard.press(before!.includes("A is better") ? "ArrowRight" : "ArrowLeft");
  await page.getByText("labels.sqlite is locked by another process.").waitFor();
  await page.getByText("End the other run, then try again.").waitFor();
  expect(await place()).toBe("Pair 1 of 300");
  expect(await words()).toBe(before);
});

test("the filter asks for what it says, and is kept over a reload with the place", async () => {
  const page = await open();
  await page.getByLabel("Which pairs").selectOption("discarded");
  await page.getByLabel("Order").selectOption("bias");
  const discarded = panel.model.pairs.filter(({ kept }) => !kept).length;
  await expect.poll(place).toBe(`Pair 1 of ${discarded}`);
  expect(await page.locator("leaf-judgement-bar .line.muted").textContent()).toContain("discarded");
  await page.getByLabel("Confidence ≤").fill("0.05");
  await page.getByLabel("Confidence ≤").blur();
  const low = panel.model.pairs.filter((pair) => !pair.kept && pair.confidence <= 0.05).length;
  await expect.poll(place).toBe(`Pair 1 of ${low}`);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect.poll(place).toBe(`Pair 3 of ${low}`);
  const queries = panel.asked
    .filter(({ method }) => method === "leaf/pairs")
    .map(({ params }) => params.query);
  expect(queries.at(-1)).toMatchObject({
    show: "discarded",
    sort: "bias",
    descending: true,
    confidence: [0, 0.05],
  });

  await expect.poll(() => (panel.kept()?.tabs.pairs as { index: number } | undefined)?.index).toBe(2);
  const { model } = panel;
  const state = panel.kept()!;
  await panel.close();
  await open({ model, state });
  await expect.poll(place).toBe(`Pair 3 of ${low}`);
  expect(await panel.page.getByLabel("Which pairs").inputValue()).toBe("discarded");

  await panel.page.getByLabel("Which pairs").selectOption("human");
  await panel.page.getByRole("heading", { name: "No pair is like this" }).waitFor();
  await panel.page.getByRole("button", { name: "Show all pairs" }).click();
  await expect.poll(place).toBe("Pair 1 of 300");
});

test("flicker shows A and B by turns in the very same place; a short press keeps it on", async () => {
  const page = await open({ model: landscapes() });
  const front = () => page.locator("leaf-pair-view .pane:not(.behind) .mark").allTextContents();
  expect((await front()).length).toBe(1);
  await page.keyboard.press("f");
  const seen = new Set<string>();
  await expect.poll(async () => seen.add((await front())[0]!.slice(0, 1)).size, { interval: 100 }).toBe(2);
  const [a, b] = await shown();
  expect(a).toEqual(b);
  const boxes = await Promise.all(
    [0, 1].map((at) => page.locator("leaf-pair-view .pane").nth(at).boundingBox()),
  );
  expect(boxes[0]).toEqual(boxes[1]);
  expect(await page.getByRole("button", { name: "Flicker" }).getAttribute("aria-pressed")).toBe("true");
  await page.keyboard.press("f");
  await expect.poll(() => page.locator("leaf-pair-view[flicker]").count()).toBe(0);

  await page.keyboard.down("f");
  await page.waitForTimeout(400);
  expect(await page.locator("leaf-pair-view[flicker]").count()).toBe(1);
  await page.keyboard.up("f");
  await expect.poll(() => page.locator("leaf-pair-view[flicker]").count()).toBe(0);
});

test("with less motion asked for, f shows the other image only when pressed", async () => {
  const page = await open({ reducedMotion: true });
  const front = () => page.locator("leaf-pair-view[flicker] .pane:not(.behind) .mark").textContent();
  await page.keyboard.press("f");
  expect(await front()).toMatch(/^B/);
  await page.waitForTimeout(1200);
  expect(await front()).toMatch(/^B/);
  await page.keyboard.press("f");
  expect(await front()).toMatch(/^A/);
});

test("a TIFF is shown by way of the server, an unreadable file says so", async () => {
  const model = createModel();
  const tiff = model.pairs.find(({ a }) => a.format === "TIFF")!;
  const broken = model.pairs.find(
    ({ a, b }) => a.format !== "TIFF" && b.format === "TIFF" && a.hash !== tiff.b.hash,
  )!;
  model.pairs = [tiff, broken];
  model.unreadable.add(broken.b.hash);
  panel = await editor.open({ tab: "pairs", model });
  const { page } = panel;
  await page.locator("leaf-pair-view leaf-image-pane").first().locator("img.full:not(.waits)").waitFor();
  expect(panel.asked).toContainEqual({
    method: "leaf/thumbnails",
    params: { config: "file:///workspace/shop/leaf.yaml", hashes: [tiff.a.hash], size: "full" },
  });
  await page.keyboard.press("j");
  await page.getByText(`${broken.b.path} cannot be shown.`).waitFor();
});

test("without pairs there is the one action that brings them", async () => {
  panel = await editor.open({ tab: "pairs", model: createModel({ standing: "new" }) });
  await panel.page.getByRole("button", { name: "Label with Teacher" }).click();
  await expectAsked(panel.asked, {
    method: "host/command",
    params: { command: "leaf.label", config: "file:///workspace/shop/leaf.yaml" },
  });
  await panel.shot("pairs-empty");
});

test("looks", async () => {
  const first = await open();
  for (const key of ["ArrowLeft", "=", "Home", "j"]) await first.keyboard.press(key);
  await first.locator("leaf-pair-view img.full:not(.waits)").nth(1).waitFor();
  await expect.poll(() => first.locator("leaf-pair-strip .tick").count()).toBe(2);
  for (const theme of allThemes) {
    await panel.setTheme(theme);
    await panel.shot(`pairs-${theme}`);
  }
  await panel.close();
  for (const [name, options] of [
    ["narrow", { width: 350, height: 800 }],
    ["zoom200", { width: 1280, height: 800, zoom: 2 }],
    ["wide", { width: 1600, height: 900, model: landscapes() }],
  ] as const) {
    const page = await open(options);
    await page.keyboard.press("1");
    if (name === "wide") for (let i = 0; i < 4; i++) await page.keyboard.press("+");
    await page.waitForTimeout(300);
    await panel.shot(`pairs-${name}`);
    // Nothing sticks out to the side.
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    if (name !== "wide") await panel.close();
  }
});
