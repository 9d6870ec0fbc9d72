import { chmodSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { useSession } from "./support/session.ts";
import { until } from "./support/until.ts";
import { photoFolder } from "./support/workspace.ts";

// A stranger's folder that names programs wherever it can.
const session = useSession(
  async () => {
    const folder = await photoFolder(6);
    folder.write(
      "leaf.yaml",
      `images: photos
teacher:
  kind: openai
  serve: { model: m, command: [./serve.sh, "{port}"], startMinutes: 0.2 }
label: { pairsPerImage: 2 }
python: { interpreter: ./tool.sh }
`,
    );
    for (const name of ["serve.sh", "tool.sh"]) {
      folder.write(name, `#!/bin/sh\necho "${name} $*" >> "${folder.dir}/RAN"\n`);
      chmodSync(path.join(folder.dir, name), 0o755);
    }
    // A folder's settings choose no interpreter.
    folder.write(
      ".vscode/settings.json",
      JSON.stringify({ "leaf.python.interpreter": `${folder.dir}/tool.sh` }),
    );
    return folder;
  },
  ({ dir }) => ({ LEAF_PYTHON: "", LEAF_HOME: path.join(dir, ".home"), LEAF_ALLOW_PROGRAMS: "" }),
);
const ran = () => {
  const file = path.join(session().folder.dir, "RAN");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

test("opening it runs nothing that it names", async () => {
  const { workbench, editor, page } = session();
  await workbench.openFile("leaf.yaml");
  await editor.waitForLens(/Run all/);
  // Both programs are told as not approved.
  await until("two remarks in the config", async () => (await page.locator(".squiggly-info").count()) >= 2);
  expect(ran()).toBe("");
});

test("a run first shows the command and where it is named; without a yes nothing runs", async () => {
  const { workbench, page } = session();
  await workbench.run("LEAF: Label with Teacher");
  const dialog = page.locator(".monaco-dialog-box");
  await dialog.waitFor();
  const shown = await dialog.innerText();
  expect(shown).toContain("./serve.sh {port}");
  expect(shown).toContain("Named in leaf.yaml:4");
  expect(shown).not.toContain("tool.sh");
  await workbench.screenshot("consent");
  await workbench.press("Cancel");
  await dialog.waitFor({ state: "detached" });
  expect(ran()).toBe("");
});

test("with a yes it runs just that, and is not asked about again", async () => {
  const { workbench, page, editor } = session();
  await workbench.run("LEAF: Label with Teacher");
  await workbench.press("Run");
  await until("the approved program", () => ran().startsWith("serve.sh"));
  await editor.waitForLens(/failed/, 60_000);
  const before = ran();
  await workbench.run("LEAF: Label with Teacher");
  await until("the approved program once more", () => ran().length > before.length);
  expect(await page.locator(".monaco-dialog-box").count()).toBe(0);
  expect(ran()).not.toContain("tool.sh");
});
