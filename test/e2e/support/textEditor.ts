import type { Locator, Page } from "playwright-core";
import { until } from "./until.ts";

/** What a person does in the active text editor. */
export interface TextEditor {
  /** Places the cursor by "Go to Line"; both from 1. */
  goTo(line: number, column?: number): Promise<void>;
  /** Places the cursor before or after a text that is on screen. */
  goToText(text: string, side?: "before" | "after"): Promise<void>;
  type(text: string): Promise<void>;
  press(key: string): Promise<void>;
  /** Visible text, lines joined. */
  text(): Promise<string>;
  /** Texts that extensions draw at the ends of lines. */
  notes(): Promise<string[]>;
  /** Labels that are proposed at the cursor. */
  suggestions(): Promise<string[]>;
  /** Takes a proposal by its label. */
  accept(label: string): Promise<void>;
  /** What the mouse over a text shows. */
  hover(text: string, wanted?: RegExp): Promise<string>;
  /** Titles of the code lenses on screen, in the order of the document. */
  lenses(): Promise<string[]>;
  /** Clicks until `follows` holds: lenses are drawn anew at any time, and a click that falls between two is lost. */
  clickLens(title: RegExp, follows: () => Promise<unknown>): Promise<void>;
  waitForLens(title: RegExp, timeoutMs?: number): Promise<string>;
  /** Titles of the quick fixes at the cursor; takes the one that matches. */
  quickFix(title: RegExp): Promise<string[]>;
}

export function activeEditor(page: Page): TextEditor {
  const editor = page.locator(".editor-group-container.active .monaco-editor").first();
  const suggest = page.locator(".suggest-widget.visible .monaco-list-row");
  const lens = editor.locator(".codelens-decoration > *");
  const focus = async () => {
    if (!(await editor.evaluate((element) => element.classList.contains("focused"))))
      await page.keyboard.press("Control+1");
    await page.locator(".editor-group-container.active .monaco-editor.focused").first().waitFor();
  };
  const at = (text: string): Locator =>
    editor.locator(".view-line > span > span").filter({ hasText: text }).first();

  return {
    async goTo(line, column = 1) {
      const input = page.locator(".quick-input-widget input").filter({ visible: true }).first();
      await until(`line ${line}`, async () => {
        await focus();
        if (!(await input.isVisible())) await page.keyboard.press("Control+g");
        await input.fill(`:${line}:${column}`, { timeout: 5_000 });
        await page.keyboard.press("Enter");
        await page.locator(".quick-input-widget").waitFor({ state: "hidden", timeout: 5_000 });
        return true;
      });
      await focus();
    },
    async goToText(text, side = "before") {
      await at(text).click();
      await page.keyboard.press(side === "before" ? "Home" : "End");
    },
    type: (text) => page.keyboard.type(text, { delay: 15 }),
    press: (key) => page.keyboard.press(key),
    async text() {
      const lines: string[] = await editor.locator(".view-line").evaluateAll(textOfLines);
      return lines.join("\n");
    },
    notes: () => editor.locator('.view-line span[class*="ced-"]').evaluateAll(drawnAfter),
    async suggestions() {
      await until("suggestions", async () => {
        await page.keyboard.press("Control+Space");
        await suggest.first().waitFor({ timeout: 10_000 });
        return true;
      });
      return labels(suggest);
    },
    async accept(label) {
      const row = suggest.filter({ has: page.locator(".label-name", { hasText: new RegExp(`^${label}$`) }) });
      // What is taken may be a snippet with choices of its own: it is this row that goes, not the list. A click while the list
      // is still filled only selects the row: it is made again.
      await row.first().waitFor();
      await until(`${label} to be taken`, async () => {
        if (!(await row.first().isVisible())) return true;
        await row.first().click({ timeout: 3_000 });
        await row.first().waitFor({ state: "hidden", timeout: 3_000 });
        return true;
      });
    },
    async hover(text, wanted = /\S/) {
      const box = page.locator(
        ".monaco-hover:not(.hidden) .monaco-hover-content, .monaco-resizable-hover .monaco-hover",
      );
      return until(`a hover that shows ${wanted}`, async () => {
        await page.mouse.move(640, 790);
        const target = (await at(text).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
        const offset = await offsetOf(at(text), text);
        await page.mouse.move(target.x + offset, target.y + target.height / 2, { steps: 3 });
        await box.first().waitFor({ timeout: 4_000 });
        const shown = (await box.allInnerTexts()).join("\n");
        return wanted.test(shown) ? shown : undefined;
      });
    },
    lenses: async () =>
      (await lens.allInnerTexts()).map((title) => title.trim()).filter((title) => !/^\|?$/.test(title)),
    async clickLens(title, follows) {
      const wanted = lens.filter({ hasText: title }).first();
      await wanted.waitFor();
      await until(
        `what a click on ${title} brings`,
        async () => {
          // One that is gone has been taken: what it brings may still come.
          if (await wanted.isVisible()) await wanted.click({ timeout: 5_000 });
          await follows();
          return true;
        },
        90_000,
      );
    },
    async waitForLens(title, timeoutMs = 60_000) {
      const found = lens.filter({ hasText: title }).first();
      await found.waitFor({ timeout: timeoutMs }).catch(async () => {
        throw new Error(
          `No lens ${title} in ${timeoutMs / 1000} s; there are: ${(await lens.allInnerTexts()).join(" | ")}`,
        );
      });
      return (await found.innerText()).trim();
    },
    async quickFix(title) {
      const rows = page.locator(".action-widget .monaco-list-row.action");
      await until("quick fixes", async () => {
        await focus();
        await page.keyboard.press("Control+.");
        await rows.first().waitFor({ timeout: 10_000 });
        return true;
      });
      const titles = (await rows.allInnerTexts()).map((text) => text.trim());
      await rows.filter({ hasText: title }).first().click();
      return titles;
    },
  };
}

/** Where in an element a text is drawn, in pixels from its left; its middle. */
async function offsetOf(element: Locator, text: string): Promise<number> {
  return element.evaluate(middleOfText, text);
}

// What follows runs in the page, whose types are not those of this side.
interface DrawnText {
  textContent: string;
  style: { top: string };
  firstChild: { textContent: string; length: number };
  getBoundingClientRect(): { left: number; right: number };
}
declare const document: {
  createRange(): Pick<DrawnText, "getBoundingClientRect"> & {
    setStart(node: DrawnText["firstChild"], offset: number): void;
    setEnd(node: DrawnText["firstChild"], offset: number): void;
  };
};

/** Lines are drawn in any order; their place tells which comes first. */
function textOfLines(elements: DrawnText[]): string[] {
  return elements
    .map((element) => ({ top: Number.parseFloat(element.style.top), text: element.textContent }))
    .sort((a, b) => a.top - b.top)
    .map(({ text }) => text.replaceAll("\u00a0", " ").replaceAll("\u200c", ""));
}

declare function getComputedStyle(element: DrawnText, pseudo: string): { content: string };

function drawnAfter(elements: DrawnText[]): string[] {
  return elements
    .map((element) => getComputedStyle(element, "::after").content.replace(/^"|"$/g, ""))
    .filter((text) => text !== "none" && text !== "normal");
}

function middleOfText(element: DrawnText, text: string): number {
  const node = element.firstChild;
  const start = Math.max(0, node.textContent.replaceAll("\u00a0", " ").indexOf(text));
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, Math.min(node.length, start + text.length));
  const { left, right } = range.getBoundingClientRect();
  return (left + right) / 2 - element.getBoundingClientRect().left;
}

async function labels(rows: Locator): Promise<string[]> {
  return rows.locator(".label-name").allInnerTexts();
}
