import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import sharp from "sharp";
import { expect, test } from "vitest";
import { startLeaf, temporaryFolder } from "./workspace.ts";

/** The most memory that a process ever had, in MB; kept by Linux alone. */
function mostMemory(pid: number): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}

// Elsewhere nobody tells how much memory a process had.
test.skipIf(process.platform !== "linux")(
  "large images take turns in memory",
  { timeout: 120_000 },
  async () => {
    const { dir, remove } = temporaryFolder();
    try {
      const photos = path.join(dir, "photos");
      mkdirSync(photos);
      // 192 MB each once decoded, and a few kilobytes before.
      const large = { width: 8000, height: 8000, channels: 3, background: "#345" } as const;
      const bytes = await sharp({ create: large }).png().toBuffer();
      for (let i = 0; i < 8; i++) writeFileSync(path.join(photos, `${i}.png`), bytes);
      const { child, done } = startLeaf(dir, [
        "score",
        "photos",
        "--json",
        "--student",
        path.resolve("test/fixtures/student"),
      ]);
      let most = 0;
      let over = false;
      void done.then(() => {
        over = true;
      });
      while (!over) {
        most = Math.max(most, mostMemory(child.pid!));
        await setTimeout(20);
      }
      const { code, stdout, stderr } = await done;
      expect(code, stderr).toBe(0);
      expect((JSON.parse(stdout) as { scores: unknown[] }).scores.length).toBe(8);
      expect(most).toBeGreaterThan(100);
      expect(most).toBeLessThan(1000);
    } finally {
      remove();
    }
  },
);
