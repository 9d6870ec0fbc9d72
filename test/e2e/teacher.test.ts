import type { Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { type ChatServer, startChatServer } from "../support/chatServer.ts";
import { useSession } from "./support/session.ts";
import { until } from "./support/until.ts";
import { photoFolder } from "./support/workspace.ts";

// A multimodal teacher in the editor: tried on three images, then asked about all.
let teacher: ChatServer;
const session = useSession(async () => {
  teacher = await startChatServer();
  const folder = await photoFolder(8);
  folder.write(
    "leaf.yaml",
    `images: photos\nsplit: { test: 0, val: 0 }\nteacher:\n  kind: openai\n  endpoint: ${teacher.url}\n  model: m\nlabel:\n  pairsPerImage: 2\n`,
  );
  return folder;
});
afterAll(() => teacher.close());

test("a dry run shows prompt, tokens and labels beside the config", async () => {
  const { workbench, editor, page } = session();
  await workbench.openFile("leaf.yaml");
  let text = "";
  await editor.clickLens(/Dry run on 3 images/, async () => {
    text = await until("the dry run's document", () => documentWith(page, "Dry run of the openai teacher"));
  });
  expect(text).toContain("excellent, good, fair, poor, bad");
  // good .6, fair .2, excellent .1, poor .05, bad .04 of .99.
  expect(text).toContain("Score 3.68 / 5");
  expect(text).toContain("60.00 %");
  await workbench.screenshot("dry-run");
  await workbench.closeEditors();
});

test("labelling by the same teacher ends fresh, and says how often the order decides", async () => {
  const { workbench, editor } = session();
  await workbench.openFile("leaf.yaml");
  await workbench.run("LEAF: Label with Teacher");
  const lens = await editor.waitForLens(/8 images, \d+ pairs/, 120_000);
  // The server prefers whichever image comes first.
  expect(lens).toMatch(/the order decides 100\.0 %/);
});

/** The text of the open document that has these words. */
async function documentWith(page: Page, words: string): Promise<string | undefined> {
  for (const frame of page.frames()) {
    const shown = await frame.locator("body").innerText({ timeout: 1_000 });
    if (shown.includes(words)) return shown;
  }
  return undefined;
}
