import sharp from "sharp";
import { expect, test } from "vitest";
import { diverging } from "../../../src/engine/images/diverging.ts";
import { createModel } from "../support/model/model.ts";
import { openDetails } from "../support/openDetails.ts";
import { panels } from "../support/panelTest.ts";
import { allThemes } from "../support/themes.ts";

const open = panels();

async function opened(options: Parameters<typeof open>[0] = {}) {
  const one = await openDetails(open, options);
  const { panel, page, details } = one;
  return {
    ...one,
    toggle: page.getByRole("button", { name: "Where does it look" }),
    slider: page.getByRole("slider", { name: "Opacity" }),
    overlay: details.locator("img.overlay"),
    asked: () =>
      panel.asked.filter(({ method }) => method === "leaf/heatMap").map(({ params }) => params.uri),
  };
}

type Opened = Awaited<ReturnType<typeof opened>>;

/** Where overlay and picture lie on the screen. */
async function places({ details }: Opened) {
  const of = (selector: string) =>
    details.locator(selector).evaluate((img) => {
      const { x, y, width, height } = img.getBoundingClientRect();
      return { x, y, width, height };
    });
  return { overlay: await of("img.overlay"), picture: await of("img.full") };
}

test("the switch asks for the focused image's heat map, lays it over and says what its colours stand for", async () => {
  const one = await opened();
  expect(one.asked()).toEqual([]);
  expect(await one.toggle.getAttribute("title")).toMatch(/\(h\)$/);
  await one.toggle.click();
  await one.overlay.waitFor();
  expect(one.asked()).toEqual([one.rows[0]!.uri]);
  expect(await one.toggle.getAttribute("aria-pressed")).toBe("true");
  const reach = 0.4 + (one.rows[0]!.size % 100) / 200;
  const figures = [-reach, 0, reach].map((by) => (one.rows[0]!.score! + by).toFixed(2));
  expect(await one.details.locator(".legend b").allTextContents()).toEqual(figures);
  expect(await one.details.locator(".legend").innerText()).toMatch(/Scores on 1 to 5\s*·\s*not looked at/);
  await one.toggle.click();
  expect(await one.overlay.count()).toBe(0);
});

test("it lies on the picture exactly, however that is zoomed and moved", async () => {
  const one = await opened();
  await one.page.keyboard.press("h");
  await one.overlay.waitFor();
  const fitted = await places(one);
  expect(fitted.overlay).toEqual(fitted.picture);
  const pane = (await one.details.locator("leaf-image-pane").boundingBox())!;
  await one.page.mouse.move(pane.x + pane.width * 0.7, pane.y + pane.height * 0.4);
  await one.page.mouse.wheel(0, -400);
  await expect
    .poll(async () => (await places(one)).picture.width)
    .toBeGreaterThan(fitted.picture.width * 1.5);
  await one.page.mouse.down();
  await one.page.mouse.move(pane.x + pane.width * 0.5, pane.y + pane.height * 0.5, { steps: 4 });
  await one.page.mouse.up();
  const moved = await places(one);
  expect(moved.overlay).toEqual(moved.picture);
  expect(moved.picture.x).not.toBe(fitted.picture.x);
});

test("h works from the grid and from the slider, which keeps its own keys", async () => {
  const one = await opened();
  await one.page.keyboard.press("h");
  await one.overlay.waitFor();
  const opacity = () => one.overlay.evaluate((img) => Number(getComputedStyle(img).opacity));
  expect(await opacity()).toBe(1);
  await one.slider.focus();
  await one.page.keyboard.press("ArrowLeft");
  await one.page.keyboard.press("ArrowLeft");
  await expect.poll(opacity).toBe(0.9);
  expect(await one.slider.getAttribute("aria-valuetext")).toBe("90 %");
  await one.page.keyboard.press("Home");
  await expect.poll(opacity).toBe(0);
  expect(await one.details.locator("h3").textContent()).toBe(one.rows[0]!.path);
  await one.page.keyboard.press("h");
  await expect.poll(() => one.overlay.count()).toBe(0);
});

test("it stays on from image to image and over a reload of the panel; each image is asked for once", async () => {
  const one = await opened();
  await one.page.keyboard.press("h");
  await one.overlay.waitFor();
  await one.slider.fill("40");
  const first = await one.overlay.getAttribute("src");
  await one.page.locator('leaf-image-grid [data-index="1"]').click();
  await one.details.locator(`img.overlay:not([src="${first}"])`).waitFor();
  await one.page.locator('leaf-image-grid [data-index="0"]').click();
  await one.details.locator(`img.overlay[src="${first}"]`).waitFor();
  expect(one.asked()).toEqual([one.rows[0]!.uri, one.rows[1]!.uri]);
  await expect
    .poll(() => (one.panel.kept()?.tabs.gallery as { heat?: unknown } | undefined)?.heat)
    .toEqual({ shown: true, opacity: 40 });
  const again = await opened({ model: one.panel.model, state: one.panel.kept()! });
  await again.overlay.waitFor();
  expect(await again.slider.inputValue()).toBe("40");
});

test("an old student is told in its place with the way out, and the switch turns that off", async () => {
  const model = createModel({ images: 60, pairs: 40 });
  const remedy = "Run distill again, and calibrate, to get a student that has them.";
  const message = "The student r12 · calibrated was made before students had heat maps.";
  model.refusals.set("leaf/heatMap", { code: "input", message, remedy });
  const one = await opened({ model });
  await one.page.keyboard.press("h");
  const refusal = one.details.getByRole("alert");
  await refusal.waitFor();
  expect(await refusal.innerText()).toContain(message);
  expect(await refusal.innerText()).toContain(remedy);
  expect(await one.slider.count()).toBe(0);
  await one.panel.shot("heat-old-student");
  // Trying again would not help.
  expect(await one.details.getByRole("button", { name: "Try again" }).count()).toBe(0);
  await one.page.keyboard.press("h");
  expect(await refusal.count()).toBe(0);
});

test("what failed can be tried again", async () => {
  const model = createModel({ images: 60, pairs: 40 });
  model.refusals.set("leaf/heatMap", { code: "failed", message: "No space is left on the disk." });
  const one = await opened({ model });
  await one.page.keyboard.press("h");
  await one.details.getByText("No space is left on the disk.").waitFor();
  model.refusals.clear();
  await one.details.getByRole("button", { name: "Try again" }).click();
  await one.overlay.waitFor();
});

test("an overlay that does not load is made again once, then said so", async () => {
  const one = await opened();
  await one.page.route("**/*-heat-overlay.png", (route) =>
    route.fulfill({ status: 200, body: "no picture" }),
  );
  await one.page.keyboard.press("h");
  const refusal = one.details.getByRole("alert");
  await refusal.waitFor();
  expect(await refusal.innerText()).toContain(`The heat map of ${one.rows[0]!.path} cannot be shown.`);
  expect(one.asked()).toHaveLength(2);
});

test("is not offered before there is a student", async () => {
  const one = await opened({ model: createModel({ images: 60, pairs: 0, standing: "new" }) });
  await one.page.keyboard.press("h");
  expect(await one.toggle.count()).toBe(0);
  expect(one.asked()).toEqual([]);
});

test("where lower is better the orange end is the higher score", async () => {
  const model = createModel({ images: 60, pairs: 40 });
  model.projects[0]!.scorer = { ...model.projects[0]!.scorer!, lowerIsBetter: true };
  const one = await opened({ model });
  await one.page.keyboard.press("h");
  await one.overlay.waitFor();
  const [worse, , better] = (await one.details.locator(".legend b").allTextContents()).map(Number);
  expect(worse).toBeGreaterThan(better!);
  expect(await one.details.locator(".legend").innerText()).toContain("lower is better");
});

test("the legend's colours are the overlay's", async () => {
  const one = await opened();
  await one.page.keyboard.press("h");
  await one.overlay.waitFor();
  const { data, info } = await sharp(await one.details.locator(".colours").screenshot())
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const line = Math.floor(info.height / 2) * info.width;
  // Without the border on either side.
  for (const x of [
    2,
    Math.round(info.width / 4),
    Math.round(info.width / 2),
    Math.round(0.75 * info.width),
    info.width - 3,
  ]) {
    const wanted = diverging((2 * (x - 0.5)) / (info.width - 2) - 1);
    const found = [...data.subarray((line + x) * 3, (line + x) * 3 + 3)];
    for (const [channel, value] of found.entries())
      expect(Math.abs(value - wanted[channel]!)).toBeLessThan(8);
  }
});

test("looks", async () => {
  const one = await opened({ model: createModel({ images: 400, pairs: 40 }) });
  await one.page.keyboard.press("h");
  await one.overlay.waitFor();
  for (const theme of allThemes) {
    await one.panel.setTheme(theme);
    await one.panel.shot(`heat-${theme}`);
  }
  const narrow = await opened({ width: 350, height: 800 });
  await narrow.page.keyboard.press("h");
  await narrow.overlay.waitFor();
  await narrow.panel.shot("heat-narrow");
  expect(await narrow.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  const zoomed = await opened({ zoom: 2 });
  await zoomed.page.keyboard.press("h");
  await zoomed.overlay.waitFor();
  await zoomed.panel.shot("heat-zoom200");
});
