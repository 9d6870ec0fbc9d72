import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectAsked } from "../support/asked.ts";
import { type FakeEditor, type OpenPanel, type PanelOptions, startEditor } from "../support/fakeEditor.ts";
import { createModel } from "../support/model/model.ts";
import { wordsOf } from "../support/panelTest.ts";
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

const config = "file:///workspace/shop/leaf.yaml";

async function open(options: PanelOptions = {}) {
  panel = await editor.open({ tab: "rate", ...options });
  await ready();
  return panel.page;
}

/** The image is on the screen in full: it can be rated. */
const ready = () => panel.page.locator("leaf-rate .scale button:not(:disabled)").first().waitFor();
const progress = () => panel.page.locator("leaf-rate .bar b").first().textContent();
const shownImage = async () => {
  const src = await panel.page.locator("leaf-rate img.full").getAttribute("src");
  return src?.slice(src.lastIndexOf("/") + 1);
};
const fileOf = ({ path }: { path: string }) => path.slice(path.lastIndexOf("/") + 1);
const rated = () => panel.asked.filter(({ method }) => method === "leaf/rate").map(({ params }) => params);
const unrated = () => panel.model.images.filter(({ mos }) => mos === null);

async function rate(key: string) {
  await ready();
  const before = await progress();
  await panel.page.keyboard.press(key);
  await expect.poll(progress).not.toBe(before);
}

test("keys 1 to 5 rate and go on; each rating is told at once and undo restores the image and the file", async () => {
  const page = await open();
  const [first, second, third] = unrated();
  const saved = () => page.locator("leaf-rate .saved").textContent();
  const total = panel.model.images.length - unrated().length;
  expect(await progress()).toBe("1 of 30");
  expect(await shownImage()).toBe(fileOf(first!));
  expect(await saved()).toBe(`${total} human scores in mos.csv`);
  await rate("4");
  expect(await progress()).toBe("2 of 30");
  expect(await shownImage()).toBe(fileOf(second!));
  await rate("1");
  await expect.poll(saved).toBe(`${total + 2} human scores in mos.csv`);
  expect(rated()).toEqual([
    { config, hash: first!.hash, rating: 4 },
    { config, hash: second!.hash, rating: 1 },
  ]);
  expect([first!.mos, second!.mos]).toEqual([4, 1]);
  expect(await page.getByText("last: 1 bad").count()).toBe(1);
  expect(await page.locator("leaf-rate [role=status]").textContent()).toBe("1, bad. 2 of 30 rated.");

  await page.keyboard.press("u");
  await expect.poll(progress).toBe("2 of 30");
  expect(await shownImage()).toBe(fileOf(second!));
  await expect.poll(() => second!.mos).toBeNull();
  await page.keyboard.press("Control+z");
  await expect.poll(progress).toBe("1 of 30");
  expect(await shownImage()).toBe(fileOf(first!));
  await rate("5");
  await rate("2");
  expect(await shownImage()).toBe(fileOf(third!));
  await expect.poll(() => [first!.mos, second!.mos]).toEqual([5, 2]);
});

test("nothing that could sway is shown before the rating", async () => {
  const page = await open();
  const [first] = unrated();
  const words = await page.locator("leaf-rate").evaluate((tab) => {
    const all = (root: ParentNode): string =>
      [...root.querySelectorAll("*")]
        .map((one) => {
          const own = [...one.attributes]
            .filter(({ name }) => !["src"].includes(name))
            .map(({ value }) => value);
          const text = [...one.childNodes]
            .filter(({ nodeType }) => nodeType === 3)
            .map((node) => node.textContent);
          return [...own, ...text, one.shadowRoot ? all(one.shadowRoot) : ""].join(" ");
        })
        .join(" ");
    return all(tab.shadowRoot!);
  });
  for (const secret of [
    first!.score!.toFixed(2),
    first!.teacher!.score.toFixed(2),
    fileOf(first!),
    "student",
  ]) {
    if (secret !== "student") expect(words).not.toContain(secret);
  }
  expect(words).not.toContain("calibrated");
  expect(words).toContain("LEAF hides its name");
});

test("an image that is not yet on the screen cannot be rated, a key held down is one rating", async () => {
  const page = await open();
  await page.route("**/root/**", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    await route.continue();
  });
  await rate("3");
  await page.keyboard.press("2");
  await page.keyboard.press("2");
  // The second image is loaded already (ahead of time), the third is not.
  await ready();
  expect(rated().length).toBeLessThanOrEqual(2);
  await page.unroute("**/root/**");
  const before = rated().length;
  await ready();
  await page.keyboard.down("4");
  await page.keyboard.down("4");
  await page.keyboard.down("4");
  await page.keyboard.up("4");
  await expect.poll(() => rated().length).toBe(before + 1);
});

test("the next image is loaded ahead", async () => {
  const page = await open();
  const [, second] = unrated();
  await expect
    .poll(() =>
      page.evaluate(
        (file) => performance.getEntriesByType("resource").some(({ name }) => name.endsWith(file)),
        fileOf(second!),
      ),
    )
    .toBe(true);
});

test("skipped images come at the end, then what next", async () => {
  const model = createModel({ images: 12 });
  const open6 = model.images.filter(({ mos }) => mos === null);
  const page = await open({ model });
  const [first] = open6;
  await page.keyboard.press("s");
  await expect.poll(shownImage).not.toBe(fileOf(first!));
  for (let at = 1; at < open6.length; at++) {
    await ready();
    await page.keyboard.press("3");
    await expect.poll(() => rated().length).toBe(at);
  }
  await page.getByRole("heading", { name: `${open6.length - 1} images are rated` }).waitFor();
  await page.getByRole("button", { name: "Rate the 1 skipped" }).click();
  await ready();
  expect(await shownImage()).toBe(fileOf(first!));
  await page.keyboard.press("5");
  await page.getByRole("heading", { name: `${open6.length} images are rated` }).waitFor();
  const hint = page.locator("leaf-rating-hint");
  await hint.getByText("they pay").waitFor();
  expect(await wordsOf(hint)).toContain("lower the error from 0.50 by 0.06 [0.01, 0.10] MOS points");
  expect(await wordsOf(hint)).toContain("would reach SRCC 0.900 [0.850, 0.950]");
  await expect
    .poll(() => page.locator("leaf-rate leaf-empty").getAttribute("words"))
    .toContain(`mos.csv holds 12 human scores`);
  await panel.shot("rate-end");
  await page.getByRole("button", { name: "Calibrate Student" }).click();
  await expectAsked(panel.asked, {
    method: "host/command",
    params: { command: "leaf.calibrate", config },
  });
  await page.keyboard.press("u");
  await ready();
  expect(await shownImage()).toBe(fileOf(first!));
});

test("without a MOS file it says which one will be made, and what a rating costs and brings", async () => {
  const model = createModel({ images: 40, standing: "new" });
  model.projects[0]!.mos = null;
  for (const row of model.images) row.mos = null;
  const page = await open({ model });
  expect(await page.locator("leaf-rate .first-file").textContent()).toContain(
    "The first rating makes mos.csv and names it in shop/leaf.yaml as mos; each rating",
  );
  expect(await page.locator("leaf-rate .first-file").textContent()).toMatch(
    /At six seconds an image, these 30 take 3 min\. They put the scores onto your scale/,
  );
  await panel.shot("rate-first");
  await rate("3");
  expect(await page.locator("leaf-rate .first-file").count()).toBe(0);
});

test("a refused rating brings the image back and says why", async () => {
  const page = await open();
  const [first] = unrated();
  panel.model.refusals.set("leaf/rate", {
    code: "input",
    message: "mos.csv cannot be written: permission denied.",
    remedy: "Make the file writable, or name another one under `mos:`.",
    file: "mos.csv",
  });
  await page.keyboard.press("4");
  await page.getByText("mos.csv cannot be written: permission denied.").waitFor();
  expect(await progress()).toBe("1 of 30");
  expect(await shownImage()).toBe(fileOf(first!));
  await panel.shot("rate-refused");
  panel.model.refusals.clear();
  await rate("4");
  expect(await page.getByText("permission denied").count()).toBe(0);
});

test("an image comes a second time without a word, and its rating is told beside the first", async () => {
  const page = await open();
  const [first, second, third] = unrated();
  panel.model.sitting = { rater: "Ada", repeat: first };
  await rate("4");
  // Not under the eyes: the one that is shown stays.
  expect(await shownImage()).toBe(fileOf(second!));
  await expect.poll(() => rated().length).toBe(1);
  await rate("2");
  expect(await shownImage()).toBe(fileOf(first!));
  expect(await progress()).toBe("3 of 31");
  await rate("5");
  expect(await shownImage()).toBe(fileOf(third!));
  await expect.poll(() => rated().at(-1)).toEqual({ config, hash: first!.hash, rating: 5, repeat: true });
  expect(first!.mos).toBe(4);
  await page.keyboard.press("u");
  await expect.poll(() => rated().at(-1)).toEqual({ config, hash: first!.hash, rating: null, repeat: true });
  await expect.poll(shownImage).toBe(fileOf(first!));
  await page.keyboard.press("s");
  await expect.poll(shownImage).toBe(fileOf(third!));
});

test("who rates is shown and can be changed; at the end it says how far they agree with themselves", async () => {
  const model = createModel({ images: 12 });
  model.sitting = {
    rater: "Ada",
    retest: { rater: "Ada", images: 4, srcc: 0.7379, meanDifference: 0.5, sd: 0.866 },
  };
  const page = await open({ model });
  await page.getByRole("button", { name: "Rater: Ada" }).click();
  await expectAsked(panel.asked, { method: "host/command", params: { command: "leaf.changeRater", config } });
  await page.getByRole("button", { name: "Rater: Ada" }).waitFor();
  for (let at = 1, all = unrated().length; at <= all; at++) {
    await ready();
    await page.keyboard.press("3");
    await expect.poll(() => rated().length).toBe(at);
  }
  await expect
    .poll(() => page.locator("leaf-rate leaf-empty").getAttribute("words"))
    .toContain(
      "You and yourself: rated twice: 4 images, SRCC 0.738, second minus first +0.50 on average, a single rating ± 0.87.",
    );
});

test("images chosen in the gallery come first, and can be rated anew", async () => {
  panel = await editor.open({ tab: "gallery" });
  const { page } = panel;
  const known = panel.model.images.find(({ mos }) => mos !== null)!;
  await page.getByPlaceholder("Part of a path").fill(fileOf(known));
  await expect.poll(() => page.locator("leaf-image-grid .name").allTextContents()).toEqual([fileOf(known)]);
  await page.locator('leaf-image-grid [data-index="0"]').click();
  await page.keyboard.press("r");
  await ready();
  expect(await shownImage()).toBe(fileOf(known));
  await page.keyboard.press("2");
  await expect.poll(() => known.mos).toBe(2);
});

test("looks", async () => {
  await open();
  await rate("4");
  await ready();
  for (const theme of allThemes) {
    await panel.setTheme(theme);
    await panel.shot(`rate-${theme}`);
  }
  await panel.close();
  for (const [name, options] of [
    ["narrow", { width: 350, height: 700 }],
    ["zoom200", { width: 1280, height: 800, zoom: 2 }],
  ] as const) {
    const page = await open(options);
    await panel.shot(`rate-${name}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    if (name === "narrow") await panel.close();
  }
});

test("after ten ratings the closed form's new order is told, without the images that come next", async () => {
  const page = await open();
  const fits = () => panel.asked.filter(({ method }) => method === "leaf/ratingRefit").length;
  await expect.poll(fits).toBe(1);
  const box = page.locator("leaf-rating-refit");
  await expect.poll(() => wordsOf(box)).toContain("expected SRCC 0.61 [0.40, 0.70]");
  expect(await wordsOf(box)).toContain("10 more ratings are expected");
  const next = unrated().slice(0, 30);
  const total = panel.model.images.length - unrated().length;
  const until = 10 - (total % 10);
  for (let i = 0; i < until - 1; i++) await rate("3");
  expect(fits()).toBe(1);
  await rate("3");
  await expect.poll(fits).toBe(2);
  await expect.poll(() => wordsOf(box)).toContain(`Fitted anew to ${total + until} ratings`);
  const names = await box.locator("td:last-child").allTextContents();
  for (const { path } of next.slice(until)) expect(names).not.toContain(path);
});
