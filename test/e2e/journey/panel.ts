import { readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Session } from "../support/session.ts";
import { until } from "../support/until.ts";
import { panelFrame, treeRow } from "../support/views.ts";

export function lookingAtImages(session: () => Session): void {
  test("a person overrules the teacher's preference by a key", async () => {
    const { workbench, editor, page, folder } = session();
    const opened = Date.now();
    await workbench.run("LEAF: Review Pairs");
    const panel = await panelFrame(page);
    await panel.locator("leaf-pair-view img").nth(1).waitFor();
    console.log(`panel opened in ${Date.now() - opened} ms`);
    await workbench.screenshots("panel-pairs");
    expect(humanPairs(folder.dir)).toBe(0);
    await panel.locator("leaf-pair-view").click();
    await page.keyboard.press("ArrowRight");
    await until("the person's word to be stored", () => humanPairs(folder.dir) === 1);
    // What a person says is learnt from: the student is no longer fresh.
    await treeRow(page, "Pipeline", /Distill.*stale/).waitFor();
    await page.keyboard.press("Backspace");
    await until("it to be taken back", () => humanPairs(folder.dir) === 0);
    await workbench.openFile("leaf.yaml");
    await editor.waitForLens(/everything is fresh/);
  });

  test("the metrics are those of the lens", async () => {
    const { workbench, page, editor } = session();
    await page.locator('.tab[data-resource-name="leaf.yaml"]').click();
    // With its interval: the agreement with the teacher is told over `distill:`.
    const measured = /SRCC (−?\d\.\d{3}) \[/;
    const srcc = measured.exec(await editor.waitForLens(measured))![1]!;
    await openTab(session(), "Metrics");
    const panel = await panelFrame(page);
    await panel.locator("main", { hasText: srcc }).waitFor();
    await panel.locator("leaf-metrics svg").first().waitFor();
    await workbench.screenshots("panel-metrics");
  });

  test("the gallery shows every image with its score", async () => {
    const { workbench, page } = session();
    await openTab(session(), "Gallery");
    const panel = await panelFrame(page);
    await until("thumbnails", async () => (await panel.locator("leaf-image-grid img").count()) > 8);
    await workbench.screenshots("panel-gallery");
  });

  test("ratings by key are saved to the MOS file at every step", async () => {
    const { workbench, page, folder } = session();
    const rows = () => readFileSync(path.join(folder.dir, "mos.csv"), "utf8").trim().split("\n").length;
    const before = rows();
    await workbench.run("LEAF: Rate Images");
    const panel = await panelFrame(page);
    await panel.locator("leaf-rate img").first().waitFor();
    await workbench.screenshots("panel-rate");
    for (const [index, key] of ["4", "2", "5"].entries()) {
      // An image that is not yet on the screen cannot be rated.
      await panel.locator("leaf-rate .figure b", { hasText: new RegExp(`^${index + 1} of`) }).waitFor();
      const image = panel.locator("leaf-rate img").first();
      await until("the image on the screen", () =>
        image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth > 0),
      );
      await page.keyboard.press(key);
      await until(`rating ${index + 1} in the file`, () => rows() === before + index + 1);
    }
    await page.keyboard.press("u");
    await until("the last one to be taken back", () => rows() === before + 2);
  });
}

/** Opens the panel's tab by the mouse. */
export async function openTab({ workbench, page }: Session, name: string): Promise<void> {
  await workbench.run("LEAF: Open IQA Panel");
  const panel = await panelFrame(page);
  await panel.getByRole("tab", { name }).click();
}

const countHumanPairs =
  "SELECT count(*) AS n FROM pairs JOIN teachers ON teachers.id = teacher_id WHERE kind = 'human' AND status = 'ok'";
function humanPairs(dir: string): number {
  const db = new DatabaseSync(path.join(dir, ".leaf", "labels.sqlite"), { readOnly: true });
  try {
    return Number(db.prepare(countHumanPairs).get()?.n);
  } finally {
    db.close();
  }
}
