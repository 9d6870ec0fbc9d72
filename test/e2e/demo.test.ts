import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { makeDemo } from "./support/demo.ts";
import { useSession } from "./support/session.ts";
import { treeRows } from "./support/views.ts";
import { emptyFolder } from "./support/workspace.ts";

const session = useSession(async () => emptyFolder());

test("an empty folder leads to a demo that is ready to run", async () => {
  const { workbench, page } = session();
  const sidebar = page.locator(".sidebar .pane-body");
  await workbench.showLeaf();
  await sidebar.getByRole("button", { name: "Open Demo Workspace" }).waitFor();
  await workbench.screenshots("welcome");
});

test("the demo's photos, scores and config are made and opened", async () => {
  const { workbench, editor, folder, page } = session();
  const demo = await makeDemo(workbench, folder.dir);
  await editor.waitForLens(/Run all · 4 stages to run/);
  expect(readdirSync(path.join(demo, "images")).length).toBeGreaterThan(100);
  await workbench.showLeaf();
  expect((await treeRows(page, "Pipeline")).join("\n")).toMatch(/Images, [\d,]+/);
  await workbench.screenshot("demo");
});
