import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FakeEditor, type OpenPanel, type PanelOptions, startEditor } from "./fakeEditor.ts";
import { runningJob } from "./model/job.ts";
import { createModel } from "./model/model.ts";
import { config } from "./model/project.ts";

let editor: FakeEditor;
let panel: OpenPanel;
beforeAll(async () => {
  editor = await startEditor();
});
afterAll(() => editor.close());
afterEach(async () => {
  const { problems } = panel;
  await panel.close();
  expect(problems).toEqual([]);
});

async function open(options: PanelOptions = {}) {
  panel = await editor.open(options);
  return panel.page;
}

const selected = () => panel.page.getByRole("tab", { selected: true }).textContent();

test("opens on what matters now: nothing yet, running, done", async () => {
  const fresh = createModel({ images: 40, standing: "new" });
  await open({ model: fresh });
  expect(await selected()).toBe("Run");
  await panel.close();

  const running = createModel({ images: 40 });
  running.projects[0]!.job = runningJob(config, Date.now());
  await open({ model: running });
  expect((await selected())?.trim()).toBe("Run");
  await panel.close();

  await open({ model: createModel({ images: 40 }) });
  expect(await selected()).toBe("Metrics");
});
