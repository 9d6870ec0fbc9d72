import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomInt } from "../../src/engine/base/random.ts";
import { leaf, leafJson, makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { labelsOf, scoresOf } from "./support/projects.ts";
import { trials } from "./support/trials.ts";

// A disk that is full at some moment: one sentence, and with space again the same labels and scores as ever.

const whole = temporaryFolder();
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  if (!isRoot) return;
  await makeWorkspace(whole.dir, 16);
  await leafJson(whole.dir, "run");
}, 300_000);
afterAll(() => whole.remove());

// Only root may mount the small file system that this takes.
test.skipIf(!isRoot)("a full disk costs a sentence and no work", { timeout: 3_600_000 }, async () => {
  await trials("full disks", 5, async (random) => {
    const { dir, remove } = temporaryFolder();
    const inside = path.join(dir, ".leaf");
    cpSync(whole.dir, dir, { recursive: true });
    rmSync(inside, { recursive: true });
    mkdirSync(inside);
    // From not enough for the index to not quite enough for all.
    const size = Math.round(24 * 1.6 ** randomInt(random, 16));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}k`, "tmpfs", inside]);
    try {
      const { code, stderr } = await leaf(dir, "run");
      if (code !== 0) {
        expect(stderr).toMatch(/space|full/i);
        expect(stderr).not.toMatch(/unexpected|went wrong in LEAF|\n {4}at /);
      }
      execFileSync("mount", ["-o", "remount,size=1g", inside]);
      await leafJson(dir, "run");
      expect(labelsOf(dir)).toEqual(labelsOf(whole.dir));
      expect(await scoresOf(dir)).toEqual(await scoresOf(whole.dir));
    } finally {
      execFileSync("umount", ["-l", inside]);
      remove();
    }
  });
});
