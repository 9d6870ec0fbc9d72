import { expect, test } from "vitest";
import { openDetails } from "../support/openDetails.ts";
import { panels } from "../support/panelTest.ts";

const open = panels();

test("images unlike those of training are marked, and a MOS says how far opinions were apart", async () => {
  const one = await openDetails(open);
  const far = one.rows.find((row) => row.far)!;
  const near = one.rows.find((row) => !row.far)!;
  const config = one.panel.model.projects[0]!.config;
  const show = async (hash: string, path: string) => {
    await one.panel.post({ type: "show", config, tab: "gallery", focus: { hash } });
    await expect.poll(() => one.details.locator("h3").textContent()).toBe(path);
  };
  await show(far.hash, far.path);
  expect(await one.details.locator(".far").innerText()).toContain("unlike the images it was distilled on");
  expect(await one.details.locator(".far").getAttribute("title")).toMatch(/many unlike images, not all/i);
  const marked = one.page.locator("leaf-image-grid .cell:has(.far) .name");
  expect(
    (await marked.allTextContents()).every((name) =>
      one.rows.some((row) => row.far && row.path.endsWith(name)),
    ),
  ).toBe(true);
  expect(await marked.count()).toBeGreaterThan(0);
  await one.panel.shot("heat-unlike");
  await show(near.hash, near.path);
  expect(await one.details.locator(".far").count()).toBe(0);
  const rated = one.rows.find((row) => row.mosStd !== undefined)!;
  await show(rated.hash, rated.path);
  await one.details
    .getByText(`${rated.mos!.toFixed(2)} ± ${rated.mosStd!.toFixed(2)} / 5`, { exact: true })
    .waitFor();
  const without = one.rows.find((row) => row.mos !== null && row.mosStd === undefined)!;
  await show(without.hash, without.path);
  await one.details.getByText(`${without.mos!.toFixed(2)} / 5`, { exact: true }).waitFor();

  const pair = one.panel.model.pairs.find(({ a, b }) => a.far || b.far)!;
  await one.panel.post({
    type: "show",
    config,
    tab: "pairs",
    focus: { hash: (pair.a.far ? pair.a : pair.b).hash },
  });
  const mark = one.page.locator("leaf-pairs .caption .far");
  await mark.first().waitFor();
  expect(await mark.first().getAttribute("title")).toContain("unlike the images it was distilled on");
  await one.panel.shot("pairs-unlike");
});

test("the unlike ones can be looked at alone", async () => {
  const one = await openDetails(open);
  await one.page.getByLabel("Quality", { exact: true }).selectOption({ label: "Unlike those distilled on" });
  const far = one.rows.filter((row) => row.far);
  await expect
    .poll(() => one.page.locator("leaf-gallery .total").textContent())
    .toBe(`${far.length} of ${one.rows.length} images`);
  expect(await one.page.locator("leaf-image-grid .cell .far").count()).toBe(far.length);
  const { query } = one.panel.asked.findLast(({ method }) => method === "leaf/images")!.params;
  expect(query).toMatchObject({ far: true });
  expect(query).not.toHaveProperty("score");
});
