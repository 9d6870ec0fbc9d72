import type { Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type FakeEditor, type OpenPanel, type PanelOptions, startEditor } from "./fakeEditor.ts";

/**
 * One browser for a test file; each test opens its panels with what this returns. After each test they are closed, and none may have
 * told of an error or of something that the page's content security policy refused.
 */
export function panels(): (options?: PanelOptions) => Promise<OpenPanel> {
  let editor: FakeEditor | undefined;
  let opened: OpenPanel[] = [];
  beforeAll(async () => {
    editor = await startEditor();
  });
  afterAll(() => editor?.close());
  afterEach(async () => {
    const problems = opened.flatMap((panel) => panel.problems);
    for (const panel of opened) await panel.close();
    opened = [];
    expect(problems).toEqual([]);
  });
  return async (options) => {
    const panel = await editor!.open(options);
    opened.push(panel);
    return panel;
  };
}

/** The panel is no wider than its window: nothing but tables scrolls sideways. Nor is the page higher: its tab alone scrolls. */
export async function expectFits({ page }: OpenPanel): Promise<void> {
  const widths = await page.evaluate(() => {
    const main = document.querySelector("leaf-app")!.shadowRoot!.querySelector("main")!;
    const { scrollWidth, scrollHeight } = document.documentElement;
    return {
      page: scrollWidth,
      main: main.scrollWidth,
      window: window.innerWidth,
      beyond: scrollHeight - window.innerHeight,
    };
  });
  expect(widths.beyond).toBeLessThanOrEqual(0);
  expect(widths.page).toBeLessThanOrEqual(widths.window);
  expect(widths.main).toBeLessThanOrEqual(widths.window);
}

/** All words inside, in their order, those of components too. */
export function wordsOf(locator: Locator): Promise<string> {
  return locator.evaluate((element) => {
    const words = (node: Node): string => {
      if (node instanceof HTMLStyleElement) return "";
      if (node instanceof HTMLSlotElement) return node.assignedNodes().map(words).join(" ");
      if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? "";
      const inside = node instanceof Element && node.shadowRoot ? node.shadowRoot : node;
      return [...inside.childNodes].map(words).join(" ");
    };
    return words(element).replace(/\s+/g, " ").trim();
  });
}
