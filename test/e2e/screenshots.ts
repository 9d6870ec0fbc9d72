// The README's pictures, from the real editor on the demo: `npm run screenshots`, some five minutes. A folder as argument
// is a demo workspace to go on with.
import path from "node:path";
import { startChromium } from "../support/chromium.ts";
import { startCodeServer } from "./support/codeServer.ts";
import { makeDemo } from "./support/demo.ts";
import makePackage from "./support/package.ts";
import { marked } from "./support/processes.ts";
import { activeEditor } from "./support/textEditor.ts";
import { until } from "./support/until.ts";
import { panelFrame } from "./support/views.ts";
import { openWorkbench } from "./support/workbench.ts";
import { emptyFolder, trainingPython } from "./support/workspace.ts";

makePackage();
const folder = emptyFolder();
const server = await startCodeServer({ env: { LEAF_PYTHON: trainingPython() } });
const browser = await startChromium(marked(server.id));
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const workbench = openWorkbench(server, page);
  const editor = activeEditor(page);
  const picture = async (name: string) => {
    await workbench.quiet();
    await page.screenshot({ path: path.resolve("media", `${name}.png`), animations: "disabled" });
  };
  await workbench.openFolder(folder.dir);
  const demo = process.argv[2] ? path.resolve(process.argv[2]) : await makeDemo(workbench, folder.dir);
  await workbench.openFolder(demo);
  await workbench.openFile("leaf.yaml");
  if (!/fresh/.test(await editor.waitForLens(/Run all|everything is fresh/))) {
    await editor.clickLens(/Run all/, () => editor.waitForLens(/Stop · /, 10_000));
    await editor.waitForLens(/everything is fresh/, 30 * 60_000);
  }
  await workbench.showLeaf();
  await until("every image's score", async () => /good/i.test(await page.locator(".sidebar").innerText()));
  await picture("config");

  await workbench.run("LEAF: Review Pairs");
  const panel = await panelFrame(page);
  await until("both pictures", async () => (await panel.locator("leaf-pair-view img").count()) >= 2);
  await workbench.run("View: Toggle Primary Side Bar Visibility");
  await picture("pairs");
  await panel.getByRole("tab", { name: "Metrics" }).click();
  await panel.locator("leaf-metrics svg").first().waitFor();
  await picture("metrics");
} finally {
  await browser.close();
  await server.stop();
  folder.remove();
}
