import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { startChromium } from "../../support/chromium.ts";
import { type CodeServer, startCodeServer } from "./codeServer.ts";
import { marked, processesOf } from "./processes.ts";
import { activeEditor, type TextEditor } from "./textEditor.ts";
import { openWorkbench, pictures, type Workbench } from "./workbench.ts";
import { type Folder, trainingPython } from "./workspace.ts";

/** A window with a folder in it, for all tests of a file. */
export interface Session {
  server: CodeServer;
  page: Page;
  workbench: Workbench;
  editor: TextEditor;
  folder: Folder;
}

/**
 * Starts VS Code and a browser before the tests of a file and ends both after them, whatever happened; nothing they started
 * is left. A test that fails leaves a picture and the end of LEAF's log behind.
 */
export function useSession(
  makeFolder: () => Promise<Folder>,
  environment: (folder: Folder) => NodeJS.ProcessEnv = () => ({ LEAF_PYTHON: trainingPython() }),
): () => Session {
  let session: Session | undefined;
  let close: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const folder = await makeFolder();
    const server = await startCodeServer({ env: environment(folder) });
    close = async () => {
      await server.stop();
      folder.remove();
    };
    const browser = await startChromium(marked(server.id));
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(60_000);
    const workbench = openWorkbench(server, page);
    session = { server, page, workbench, editor: activeEditor(page), folder };
    close = async () => {
      await browser.close();
      await server.stop();
      folder.remove();
      expect(processesOf(server.id)).toEqual([]);
    };
    await workbench.openFolder(folder.dir);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail" || !session) return;
    const file = path.join(pictures, "failures", `${task.name.replace(/\W+/g, "-")}.png`);
    mkdirSync(path.dirname(file), { recursive: true });
    await session.page.screenshot({ path: file });
    console.log(`${file}\n${session.server.leafLog().split("\n").slice(-25).join("\n")}`);
  });
  afterAll(async () => close?.());
  return () => {
    if (!session) throw new Error("VS Code did not start.");
    return session;
  };
}
