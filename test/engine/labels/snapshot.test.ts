import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { writeLabelSnapshot } from "../../../src/engine/labels/snapshot.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const h = (i: number) => i.toString(16).padStart(32, "0");

function mounted(dir: string, size: string): boolean {
  try {
    mkdirSync(dir, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
const unmount = (dir: string) => execFileSync("umount", ["-l", dir]);

const probe = mkdtempSync(path.join(os.tmpdir(), "leaf-mount-"));
const canMount = process.platform === "linux" && process.getuid?.() === 0 && mounted(probe, "64k");
if (canMount) unmount(probe);
rmSync(probe, { recursive: true, force: true });

// Needs to mount a small file system, which only root outside of most containers may do.
test.skipIf(!canMount)("a disk that is full at any point of the label snapshot is one sentence", async () => {
  const dir = temporaryFolder();
  const images = Array.from({ length: 1500 }, (_, i) => h(i));
  const store = openLabels(path.join(dir, "labels.sqlite"));
  store.registerTeacher({ fingerprint: "t", kind: "fake", description: {} });
  store.putPoints(
    "t",
    images.map((image) => ({
      image,
      ok: true,
      score: 3,
      probabilities: [0, 0, 1, 0, 0],
      mass: 1,
      confidence: 1,
    })),
  );
  const small = path.join(dir, "small");
  const outcomes: string[] = [];
  for (const kib of [16, 64, 128, 240, 280, 320, 360, 400, 480, 1200]) {
    expect(mounted(small, `${kib}k`)).toBe(true);
    try {
      writeLabelSnapshot(store, path.join(small, "labels.sqlite"), {
        teacher: "t",
        images: new Set(images),
        pairs: [],
        minConfidence: 0.1,
      });
      outcomes.push("written");
    } catch (error) {
      expect(error, `${kib} KiB`).toBeInstanceOf(LeafError);
      const { code, message, remedy } = error as LeafError;
      expect(code).toBe("failed");
      expect(message).toMatch(/no space is left on the disk|the disk failed to read or write/);
      expect(remedy).toMatch(/space/);
      outcomes.push("full");
    } finally {
      unmount(small);
    }
  }
  store.close();
  expect(outcomes[0]).toBe("full");
  expect(outcomes.at(-1)).toBe("written");
});
