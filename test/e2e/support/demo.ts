import { existsSync } from "node:fs";
import path from "node:path";
import { until } from "./until.ts";
import type { Workbench } from "./workbench.ts";

/** Has the demo made below the folder that is open, by the command; returns the demo's folder. */
export async function makeDemo(workbench: Workbench, folder: string): Promise<string> {
  await workbench.run("LEAF: Open Demo Workspace");
  await workbench.answer(`${folder}/`);
  const demo = path.join(folder, "leaf-demo");
  await until("the demo's config", () => existsSync(path.join(demo, "leaf.yaml")), 120_000);
  await workbench.page.locator('.tab.active[data-resource-name="leaf.yaml"]').waitFor();
  return demo;
}
