import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Session } from "../support/session.ts";
import { until } from "../support/until.ts";
import { panelFrame, treeRow } from "../support/views.ts";
import { lines } from "./config.ts";

export function comparingRuns(session: () => Session): void {
  // The overruled pair has made distill stale too: it is trained anew, in fewer epochs since nobody watches.
  test("a changed setting makes its stages stale, and running them a second run", {
    timeout: 600_000,
  }, async () => {
    const { workbench, editor, folder, page } = session();
    folder.write("leaf.yaml", lines(folder.dir).join("\n").replace("epochs: 150", "epochs: 20"));
    await workbench.openFile("leaf.yaml");
    await until("the editor to show it", async () => (await editor.text()).includes("epochs: 20"));
    const line = lines(folder.dir).findIndex((one) => one.startsWith("calibrate:"));
    const column = lines(folder.dir)[line]!.indexOf("0.5") + 1;
    await editor.goTo(line + 1, column + 2);
    await editor.press("Delete");
    await editor.type("8");
    await editor.press("Escape");
    await workbench.save();
    expect(readFileSync(path.join(folder.dir, "leaf.yaml"), "utf8")).toContain("ratio: 0.8");
    await editor.waitForLens(/stale: .*ratio 0\.5 → 0\.8/);
    await workbench.screenshot("stale");
    await editor.clickLens(/Run all · \d stages stale/, () => editor.waitForLens(/Stop · /, 10_000));
    await editor.waitForLens(/everything is fresh/, 500_000);
    await treeRow(page, "Runs", "r2").waitFor();
  });

  test("two runs are compared side by side", async () => {
    const { workbench, editor, page } = session();
    await editor.clickLens(/Compare with r1/, async () =>
      (await panelFrame(page)).locator("leaf-runs").waitFor({ timeout: 8_000 }),
    );
    const panel = await panelFrame(page);
    const runs = panel.locator("leaf-runs");
    const cells = runs.locator("td, th").filter({ visible: true });
    for (const text of ["r1", "r2", /ratio/, "0.5", "0.8"])
      await cells.filter({ hasText: text }).first().waitFor();
    await workbench.screenshots("panel-runs");
  });
}
