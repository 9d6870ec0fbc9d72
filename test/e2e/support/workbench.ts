import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Locator, Page } from "playwright-core";
import type { CodeServer } from "./codeServer.ts";
import { colorThemes, type Theme } from "./settings.ts";
import { until } from "./until.ts";

export const pictures = path.resolve("test/.screenshots/e2e");

/** What a person does with the window as a whole. */
export interface Workbench {
  page: Page;
  openFolder(folder: string): Promise<void>;
  reload(): Promise<void>;
  /** By the palette; the title as shown there, "LEAF: Run Pipeline". */
  run(command: string): Promise<void>;
  /** Whether the palette offers a command. */
  offers(command: string): Promise<boolean>;
  /** Chooses in the quick pick that is open; waits for one if none is. */
  pick(label: string | RegExp): Promise<void>;
  /** Types into the input box or dialog that is open and accepts it. */
  answer(text: string): Promise<void>;
  openFile(name: string): Promise<void>;
  closeEditors(): Promise<void>;
  save(): Promise<void>;
  /** Texts of the notifications on screen. */
  notifications(): Promise<string[]>;
  /** Presses a button of a notification or a modal dialog. */
  press(button: string): Promise<void>;
  clearNotifications(): Promise<void>;
  /** Shows LEAF's view container in the side bar. */
  showLeaf(): Promise<void>;
  /** Nothing is loading and no notification is open; the pointer rests where it shows nothing. */
  quiet(): Promise<void>;
  statusBar(): Promise<string[]>;
  setTheme(theme: Theme): Promise<void>;
  /** To test/.screenshots/e2e/<theme>/<name>.png, in one theme or the present one. */
  screenshot(name: string): Promise<void>;
  /** The same in all three themes, the dark one last; `again` brings back what closes meanwhile. */
  screenshots(name: string, again?: () => Promise<unknown>): Promise<void>;
}

export function openWorkbench(server: CodeServer, page: Page): Workbench {
  let theme: Theme = "dark";
  const quickInput = page.locator(".quick-input-widget").filter({ visible: true });
  const input = quickInput.locator("input[type=text], input:not([type])").first();
  const rows = quickInput.locator(".quick-input-list .monaco-list-row");
  const ready = async () => {
    await page.locator(".monaco-workbench .part.statusbar .statusbar-item").first().waitFor();
    await page.locator(".part.sidebar .pane-header").first().waitFor();
  };
  const closed = async () => {
    if (await quickInput.isVisible()) await page.keyboard.press("Escape");
    await quickInput.waitFor({ state: "hidden", timeout: 2_000 });
  };
  const ask = async (key: string, text: string) => {
    // A keystroke is lost while the workbench still binds its keys; one that is about to close takes no text.
    await until(
      "the quick input",
      async () => {
        await closed();
        await page.keyboard.press(key);
        await quickInput.locator("input:focus").waitFor({ timeout: 5_000 });
        await input.fill(text, { timeout: 2_000 });
        return (await input.inputValue()) === text;
      },
      60_000,
    );
  };
  /**
   * Chooses, and again until it is taken: commands of extensions come a moment after the window, new files a moment after the
   * search began, and a click on a list that is still filling only selects its row.
   */
  const choose = (key: string, text: string, label: string, taken: () => Promise<boolean>) =>
    until(
      `${label} in the quick input`,
      async () => {
        await ask(key, text);
        try {
          await labelled(rows, label).click({ timeout: 3_000 });
          return await until(`${label} to be taken`, taken, 5_000);
        } catch (error) {
          await closed();
          throw error;
        }
      },
      90_000,
    );

  return {
    page,
    async openFolder(folder) {
      await page.goto(`${server.url}/?folder=${encodeURIComponent(folder)}`);
      await ready();
    },
    async reload() {
      await page.reload();
      await ready();
    },
    async run(command) {
      // It closes, or asks on.
      await choose("F1", `>${command}`, command, async () => {
        const asked = await input.inputValue({ timeout: 100 }).catch(() => undefined);
        return asked !== `>${command}`;
      });
    },
    async offers(command) {
      await ask("F1", `>${command}`);
      const found = await until("the palette's answer", async () => {
        const labels = await rows.allInnerTexts();
        return labels.length > 0 ? labels : undefined;
      });
      await closed();
      return found.some((label) => label.replace(/\s+/g, " ").includes(command));
    },
    async pick(label) {
      await rows.filter({ hasText: label }).first().click();
    },
    async answer(text) {
      // A file dialog drops Enter while it reads the folder, and writes its own path over the text once it has.
      await input.waitFor();
      await until(
        `${text} to be taken`,
        async () => {
          if (!(await quickInput.isVisible())) return true;
          await input.fill(text, { timeout: 10_000 });
          await page.keyboard.press("Enter");
          await quickInput.waitFor({ state: "hidden", timeout: 5_000 });
          return true;
        },
        60_000,
      );
    },
    async openFile(name) {
      const base = path.basename(name);
      const tab = page.locator(`.tab.active[data-resource-name="${base}"]`);
      await choose("Control+p", name, base, async () => !(await quickInput.isVisible()) && tab.isVisible());
    },
    async closeEditors() {
      await this.run("View: Close All Editors");
      await page.locator(".tab").first().waitFor({ state: "detached" });
    },
    async save() {
      await page.keyboard.press("Control+s");
      await page.locator(".tab.active.dirty").waitFor({ state: "detached" });
    },
    async notifications() {
      return page.locator(".notification-toast .notification-list-item-message").allInnerTexts();
    },
    async press(button) {
      await page
        .locator(".notification-toast, .monaco-dialog-box")
        .getByRole("button", { name: button, exact: true })
        .first()
        .click();
    },
    async clearNotifications() {
      await this.run("Notifications: Clear All Notifications");
    },
    async showLeaf() {
      const title = page.locator(".sidebar .composite.title", { hasText: /LEAF/i });
      const icon = page
        .locator(".activitybar .action-item")
        .filter({ has: page.locator('[aria-label^="LEAF"]') });
      if (!(await title.isVisible())) await icon.first().click();
      await title.waitFor();
    },
    async quiet() {
      await this.clearNotifications();
      await page.mouse.move(640, 795);
      await page.locator(".monaco-progress-container.active").first().waitFor({ state: "detached" });
      await page
        .locator(".workbench-hover-container, .monaco-hover:not(.hidden)")
        .first()
        .waitFor({ state: "hidden" });
    },
    async statusBar() {
      const texts = await page.locator(".part.statusbar .statusbar-item").allInnerTexts();
      return texts.map((text) => text.trim()).filter(Boolean);
    },
    async setTheme(next) {
      await until(
        `the ${next} theme`,
        async () => {
          await this.run("Preferences: Color Theme");
          await input.fill(colorThemes[next].label, { timeout: 3_000 });
          await labelled(rows, colorThemes[next].label).click({ timeout: 3_000 });
          await quickInput.waitFor({ state: "hidden", timeout: 10_000 });
          await page.locator(`.monaco-workbench.${colorThemes[next].base}`).waitFor({ timeout: 10_000 });
          return true;
        },
        120_000,
      );
      theme = next;
    },
    async screenshot(name) {
      mkdirSync(path.join(pictures, theme), { recursive: true });
      await page.screenshot({ path: path.join(pictures, theme, `${name}.png`), animations: "disabled" });
    },
    async screenshots(name, again) {
      for (const one of ["light", "highContrast", "dark"] as const) {
        await this.setTheme(one);
        await again?.();
        await this.screenshot(name);
      }
    },
  };
}

/** The row of a list with exactly this label, whatever stands beside it. */
function labelled(rows: Locator, label: string): Locator {
  const exact = new RegExp(`^${label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
  return rows.filter({ has: rows.page().locator(".label-name", { hasText: exact }) }).first();
}
