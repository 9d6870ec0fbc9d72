// Measures real VS Code on a project of 20,000 small images, by the packaged extension: from opening the folder to the Pipeline view,
// the IQA panel from the command to the gallery's first pictures, and how long the extension host's event loop was held up meanwhile
// (as a second extension in the same host sees it). Usage: node bench/editor.ts [images]. Needs what the end-to-end tests need.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import vsce from "@vscode/vsce";
import { startCodeServer } from "../test/e2e/support/codeServer.ts";
import makePackage from "../test/e2e/support/package.ts";
import { marked, serverProcesses } from "../test/e2e/support/processes.ts";
import { until } from "../test/e2e/support/until.ts";
import { panelFrame, treeRow } from "../test/e2e/support/views.ts";
import { openWorkbench } from "../test/e2e/support/workbench.ts";
import { startChromium } from "../test/support/chromium.ts";
import { makeManyImages } from "./manyImages.ts";

const amount = Number(process.argv[2] ?? 20_000);
const dir = mkdtempSync(path.join(tmpdir(), "leaf-bench-"));
const workspace = path.join(dir, "workspace");
mkdirSync(workspace);
await makeManyImages(workspace, amount);
makePackage();

const delays = path.join(dir, "delays.txt");
const probe = path.join(dir, "probe");
mkdirSync(probe);
const manifest = {
  name: "probe",
  publisher: "bench",
  version: "0.0.1",
  engines: { vscode: "^1.116.0" },
  main: "main.js",
  activationEvents: ["*"],
};
writeFileSync(path.join(probe, "package.json"), JSON.stringify(manifest));
writeFileSync(
  path.join(probe, "main.js"),
  `const { monitorEventLoopDelay } = require("node:perf_hooks");
   const { appendFileSync } = require("node:fs");
   exports.activate = () => {
     const delay = monitorEventLoopDelay({ resolution: 5 });
     delay.enable();
     setInterval(() => {
       appendFileSync(process.env.BENCH_DELAYS, Date.now() + " " + (delay.max / 1e6).toFixed(1) + "\\n");
       delay.reset();
     }, 250);
   };`,
);
const packagePath = path.join(dir, "probe.vsix");
await vsce.createVSIX({
  cwd: probe,
  packagePath,
  allowMissingRepository: true,
  skipLicense: true,
  dependencies: false,
});

const server = await startCodeServer({ env: { BENCH_DELAYS: delays }, packages: [packagePath] });
const browser = await startChromium(marked(server.id));
const say = (what: string, value: number, unit: string) =>
  console.log(`${what}: ${Math.round(value)} ${unit}`);
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const workbench = openWorkbench(server, page);
  const opened = Date.now();
  await workbench.openFolder(workspace);
  await workbench.showLeaf();
  await treeRow(page, "Pipeline", amount.toLocaleString("en")).waitFor({ timeout: 120_000 });
  say("folder opened to the Pipeline view with all images", Date.now() - opened, "ms");
  const asked = Date.now();
  await workbench.run("LEAF: Open IQA Panel");
  const panel = await panelFrame(page);
  await panel.getByRole("tab", { name: "Gallery" }).click();
  await panel.locator("leaf-image-grid .cell, leaf-image-grid [role=gridcell]").first().waitFor();
  say("command to the gallery's first images", Date.now() - asked, "ms");
  await until("pictures", async () => (await panel.locator("leaf-image-grid img").count()) > 5);
  say("command to its first pictures", Date.now() - asked, "ms");
  await panel.locator("leaf-image-grid").hover();
  for (let i = 0; i < 40; i++) await page.mouse.wheel(0, 2000);
  await page.waitForTimeout(2000);
  const held = readFileSync(delays, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number) as [number, number]);
  const longest = (from: number) => Math.max(...held.filter(([at]) => at >= from).map(([, delay]) => delay));
  say("extension host's event loop held up at most, all the time", longest(0), "ms");
  say("the same once the panel was asked for", longest(asked), "ms");
  const [leaf] = serverProcesses(server.id);
  const status = readFileSync(`/proc/${leaf!.pid}/status`, "utf8");
  say("memory of the language server", Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024, "MiB");
} finally {
  await browser.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
