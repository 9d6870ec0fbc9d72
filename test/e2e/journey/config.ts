import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Session } from "../support/session.ts";
import { until } from "../support/until.ts";
import { problems } from "../support/views.ts";

export function writingTheConfig(session: () => Session): void {
  test("completes a key", async () => {
    const { workbench, editor, folder } = session();
    await workbench.openFile("leaf.yaml");
    await editor.waitForLens(/Run all · 4 stages to run/);
    await editor.goTo(lines(folder.dir).length);
    await editor.type("teac");
    expect(await editor.suggestions()).toContain("teacher");
    await editor.press("Escape");
    await workbench.screenshots("completion", async () => {
      await editor.goTo(lines(folder.dir).length, 5);
      await editor.suggestions();
    });
    await editor.accept("teacher");
    await editor.press("Escape");
    expect(await editor.text()).toMatch(/^teacher:/m);
    await workbench.run("File: Revert File");
    expect(await until("the file as saved", async () => !(await editor.text()).includes("teacher"))).toBe(
      true,
    );
  });

  test("marks a wrong key, and the quick fix corrects it", async () => {
    const { workbench, editor, folder, page } = session();
    const line = lines(folder.dir).findIndex((one) => one.startsWith("distill:"));
    const column = lines(folder.dir)[line]!.indexOf("epochs") + 1;
    await editor.goTo(line + 1, column + 6);
    await editor.press("Backspace");
    await editor.press("Escape");
    await workbench.run("View: Toggle Problems");
    const told = await until("the problem", async () =>
      (await problems(page)).find((one) => /epoch\b/.test(one) && /did you mean/i.test(one)),
    );
    expect(told).toContain("epochs");
    await workbench.screenshots("diagnostic");
    await editor.goTo(line + 1, column + 2);
    await editor.quickFix(/epochs/);
    await until("the key to be right", async () => /distill: \{ epochs:/.test(await editor.text()));
    await until("the problem to go", async () => !(await problems(page)).some((one) => /epoch\b/.test(one)));
    await workbench.run("View: Toggle Panel Visibility");
    await workbench.save();
    expect(readFileSync(path.join(folder.dir, "leaf.yaml"), "utf8")).toContain("distill: { epochs: 150");
  });

  test("says under the pointer what a key means", async () => {
    const { editor } = session();
    expect(await editor.hover("minConfidence", /confidence/i)).toMatch(/default/i);
  });
}

export const lines = (dir: string): string[] =>
  readFileSync(path.join(dir, "leaf.yaml"), "utf8").replace(/\n$/, "").split("\n").concat("");
