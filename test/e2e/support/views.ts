import type { Frame, Page } from "playwright-core";
import { until } from "./until.ts";

/** Rows of one of its views ("Pipeline", "Runs", "Images") as a screen reader reads them. */
export async function treeRows(page: Page, view: string): Promise<string[]> {
  const rows = pane(page, view).locator(".monaco-list-row");
  return rows.evaluateAll((all) => all.map((row) => row.getAttribute("aria-label") ?? row.textContent ?? ""));
}

export function pane(page: Page, view: string) {
  return page
    .locator(".sidebar .pane")
    .filter({ has: page.locator(`.pane-header[aria-label^="${view}"]`) })
    .first();
}

export function treeRow(page: Page, view: string, text: string | RegExp) {
  return pane(page, view).locator(".monaco-list-row").filter({ hasText: text }).first();
}

/** The document inside the webview of LEAF's panel. */
export async function panelFrame(page: Page): Promise<Frame> {
  return until("the panel's webview", async () => {
    for (const frame of page.frames()) {
      const found = frame.locator("leaf-app");
      if (await found.count().catch(() => 0)) return frame;
    }
    return undefined;
  });
}

/** Lines of the Problems view: "leaf.yaml … message". */
export async function problems(page: Page): Promise<string[]> {
  const rows = page.locator(".markers-panel .monaco-list-row");
  return rows.evaluateAll((all) => all.map((row) => row.getAttribute("aria-label") ?? row.textContent ?? ""));
}
