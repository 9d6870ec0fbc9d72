import { expect, test } from "vitest";
import { leafProcesses } from "./support/processes.ts";
import { useSession } from "./support/session.ts";
import { until } from "./support/until.ts";
import { emptyFolder, photoFolder } from "./support/workspace.ts";

const photos = await photoFolder(6);
const session = useSession(async () => {
  const folder = emptyFolder();
  folder.write("README.md", "# A folder without LEAF\n\n![](photos/a.png)\n");
  return folder;
});

test("in a workspace without a config LEAF is not even activated", async () => {
  const { server, workbench } = session();
  await workbench.openFile("README.md");
  // Markdown's own extension is, by the file that is open: LEAF would be by now.
  await until("the activation of Markdown's extension", () =>
    server.activated().includes("vscode.markdown-language-features"),
  );
  expect(server.activated().filter((id) => /leaf/i.test(id))).toEqual([]);
  expect(leafProcesses(server.id)).toEqual([]);
});

test("New Config writes one that fits a folder of images, and opens it", async () => {
  const { server, workbench, editor, page } = session();
  await workbench.openFolder(photos.dir);
  expect(leafProcesses(server.id)).toEqual([]);
  await workbench.run("LEAF: New Config");
  await page.locator('.tab.active[data-resource-name="leaf.yaml"]').waitFor();
  await editor.waitForLens(/Run all · 2 stages to run/);
  expect(await editor.text()).toMatch(/^images:/m);
  await workbench.screenshots("new-config");
});

test("activation is quick", async () => {
  const { server, workbench, page } = session();
  const row = page.locator(".runtime-extensions-editor .monaco-list-row", { hasText: /LEAF/ });
  expect(server.activated().filter((id) => /leaf/i.test(id))).not.toEqual([]);
  // The list has rows for what is in sight, the slowest first: on a busy machine LEAF is further down.
  const told = await until("LEAF among the running extensions", async () => {
    await workbench.run("Developer: Show Running Extensions");
    await page.locator(".runtime-extensions-editor .monaco-list").first().hover({ timeout: 3_000 });
    for (let i = 0; i < 12 && (await row.count()) === 0; i++) {
      await page.mouse.wheel(0, 250);
      await page.waitForTimeout(200);
    }
    return row.first().innerText({ timeout: 3_000 });
  });
  const [, ms] = /Activation:\s*(\d+)\s*ms/.exec(told) ?? [];
  console.log(`activation: ${told.replace(/\s+/g, " ")}`);
  expect(Number(ms)).toBeLessThan(1000);
});
