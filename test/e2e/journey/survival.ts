import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { kill, leafProcesses, serverProcesses } from "../support/processes.ts";
import type { Session } from "../support/session.ts";
import { until } from "../support/until.ts";
import { treeRows } from "../support/views.ts";

export function goingOn(session: () => Session): void {
  test("a new image is scored by itself within seconds, and one that goes is forgotten", async () => {
    const { workbench, page, folder, editor } = session();
    await workbench.showLeaf();
    const inBands = async () => {
      const rows = await treeRows(page, "Images");
      return rows.reduce((sum, row) => sum + Number(/([\d,]+) images? ·/.exec(row)?.[1] ?? 0), 0);
    };
    expect(await inBands()).toBe(40);
    const file = path.join(folder.dir, "photos", "new.png");
    onTestFinished(() => rmSync(file, { force: true }));
    await sharp(path.join(folder.dir, "photos", "coffee_000.png"))
      .blur(9)
      .png()
      .toFile(path.join(folder.dir, "new.png"));
    renameSync(path.join(folder.dir, "new.png"), file);
    const added = Date.now();
    await until("the Images view to count it", async () => (await inBands()) === 41);
    console.log(`added image scored and shown after ${Date.now() - added} ms`);
    folder.write("notes.md", "photos/new.png and photos/stream_027.png\n");
    await workbench.openFile("notes.md");
    expect(await editor.hover("photos/new.png", /Quality/)).toMatch(/student r2/);
    await workbench.screenshot("new-image");
    rmSync(file);
    await until("the Images view to forget it", async () => (await inBands()) === 40);
    await workbench.openFile("leaf.yaml");
    await editor.waitForLens(/everything is fresh/);
  });

  test("the server is started again when it dies", async () => {
    const { server, workbench, editor } = session();
    const [before] = serverProcesses(server.id);
    expect(before).toBeDefined();
    kill([before!]);
    await until("another server", () => serverProcesses(server.id).some(({ pid }) => pid !== before!.pid));
    await workbench.openFile("leaf.yaml");
    await editor.waitForLens(/everything is fresh/);
    await workbench.openFile("notes.md");
    expect(await editor.hover("photos/stream_027.png", /Quality/)).toMatch(/student r2/);
    expect(await workbench.notifications()).toEqual([]);
  });

  test("a window that is reloaded finds its job again, and so does a server that is started again", async () => {
    const { server, workbench, editor, folder } = session();
    await workbench.openFile("leaf.yaml");
    const before = await editor.text();
    folder.write("leaf.yaml", before.replace("epochs: 20", "epochs: 900").replace(/\n*$/, "\n"));
    await editor.waitForLens(/stale: .*epochs 20 → 900/);
    await editor.clickLens(/Run all/, () => editor.waitForLens(/Stop · /, 10_000));
    await editor.waitForLens(/Stop · epoch \d+ of 900/, 60_000);
    const job = jobProcess(session());
    await workbench.reload();
    await workbench.openFile("leaf.yaml");
    await editor.waitForLens(/Stop · epoch \d+ of 900/);
    expect(jobProcess(session())).toEqual(job);
    // A new server finds it too.
    const [own] = serverProcesses(server.id);
    kill([own!]);
    await until("another server", () => serverProcesses(server.id).some(({ pid }) => pid !== own!.pid));
    await editor.waitForLens(/Stop · epoch \d+ of 900/);
    expect(jobProcess(session())).toEqual(job);
    await editor.clickLens(/Stop · /, () =>
      until("its process to end", () => !leafProcesses(server.id).some(({ pid }) => pid === job.pid), 5_000),
    );
    folder.write("leaf.yaml", before.replace(/\n*$/, "\n"));
    await editor.waitForLens(/everything is fresh/);
  });
}

function jobProcess({ server }: Session) {
  const job = leafProcesses(server.id).find(({ command }) => /cli\.js job/.test(command));
  if (!job) throw new Error("No job runs.");
  return job;
}
