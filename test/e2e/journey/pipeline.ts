import { expect, test } from "vitest";
import { leafProcesses } from "../support/processes.ts";
import type { Session } from "../support/session.ts";
import { until } from "../support/until.ts";
import { panelFrame, treeRow, treeRows } from "../support/views.ts";

const epoch = /epoch (\d+) of 150/;

export function runningThePipeline(session: () => Session): void {
  let stoppedAt = 0;

  test("starts from the lens and shows how far it is", async () => {
    const { workbench, editor, page } = session();
    await workbench.openFile("leaf.yaml");
    await workbench.showLeaf();
    await editor.clickLens(/Run all/, () => editor.waitForLens(/Stop · /, 10_000));
    await editor.waitForLens(epoch, 120_000);
    await until("the Pipeline view to follow", async () =>
      (await treeRows(page, "Pipeline")).some((row) => /Distill.*epoch \d+/.test(row)),
    );
    await workbench.screenshot("running");
  });

  test("draws its curves in the panel while it runs", async () => {
    const { workbench, page } = session();
    await workbench.run("LEAF: Open IQA Panel");
    const panel = await panelFrame(page);
    await panel.locator("main", { hasText: epoch }).waitFor();
    await panel.locator("leaf-run svg").first().waitFor();
    await workbench.screenshots("panel-run");
    await page.locator('.tab[data-resource-name="leaf.yaml"]').click();
  });

  test("stops at once, and leaves no process of the job", async () => {
    const { editor, server } = session();
    stoppedAt = Number(epoch.exec(await editor.waitForLens(/Stop · epoch ([3-9]|\d\d) /))?.[1]);
    let asked = Date.now();
    await editor.clickLens(/Stop · /, () => {
      asked = Date.now();
      return editor.waitForLens(/Run all · \d stages? (stale|to run)/, 6_000);
    });
    console.log(`stopped within ${Date.now() - asked} ms, in epoch ${stoppedAt}`);
    await until("the trainer to end", () =>
      leafProcesses(server.id).every(({ command }) => !/cli\.js job|python/.test(command)),
    );
  });

  test("goes on where it was, from the palette", { timeout: 500_000 }, async () => {
    const { workbench, editor } = session();
    await workbench.run("LEAF: Run Pipeline");
    const seen = await editor.waitForLens(epoch, 60_000);
    expect(Number(epoch.exec(seen)?.[1])).toBeGreaterThanOrEqual(stoppedAt);
    await editor.waitForLens(/everything is fresh/, 400_000);
  });

  test("shows each stage's result over its section", async () => {
    const { workbench, editor, page } = session();
    expect(await editor.waitForLens(/28 images, \d+ pairs \(\d+ discarded\)/)).toBeTruthy();
    expect(await editor.waitForLens(/SRCC −?\d\.\d{3} \[−?\d\.\d{3}, −?\d\.\d{3}\] · PLCC/)).toMatch(/r1/);
    await treeRow(page, "Runs", "r1").waitFor();
    await workbench.clearNotifications();
    await workbench.screenshots("lenses");
  });
}
