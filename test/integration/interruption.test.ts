import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DistillResult, LabelResult } from "../../src/protocol/results.ts";
import { config, leaf, leafJson, makeWorkspace, startLeaf, temporaryFolder } from "./workspace.ts";

// What a kill or Ctrl-C leaves behind. Two copies of one workspace: one runs through, the other is interrupted.
const whole = temporaryFolder();
const cut = temporaryFolder();
const images = 40;

beforeAll(async () => {
  await makeWorkspace(whole.dir, images);
  writeFileSync(path.join(whole.dir, "leaf.yaml"), config("", { epochs: 8 }));
  cpSync(whole.dir, cut.dir, { recursive: true });
});
afterAll(() => {
  whole.remove();
  cut.remove();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, timeoutMs = 90_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) if (condition()) return;
  throw new Error("It did not happen in time.");
}

/** Command lines of all processes that name a folder. */
function processesOf(dir: string): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(dir));
}

function labels(dir: string): unknown[] {
  const db = new DatabaseSync(path.join(dir, ".leaf", "labels.sqlite"), { readOnly: true });
  const points = db
    .prepare(
      "SELECT hash, status, score, confidence FROM points JOIN images ON images.id = image_id ORDER BY hash",
    )
    .all();
  const pairs = db
    .prepare(
      "SELECT a.hash AS a, b.hash AS b, p FROM pairs JOIN images a ON a.id = a_id JOIN images b ON b.id = b_id ORDER BY a, b",
    )
    .all();
  db.close();
  return [...points, ...pairs];
}

function pointCount(dir: string): number {
  try {
    const db = new DatabaseSync(path.join(dir, ".leaf", "labels.sqlite"), { readOnly: true });
    const n = Number(db.prepare("SELECT count(*) AS n FROM points").get()?.n);
    db.close();
    return n;
  } catch {
    return 0;
  }
}

/** The metrics of each epoch without what depends on the clock. */
function epochs(dir: string): unknown[] {
  const stages = path.join(dir, ".leaf", "stages", "distill");
  const lines = readFileSync(path.join(stages, readdirSync(stages)[0]!, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const { imagesPerS: _, ...rest } = JSON.parse(line);
    return rest;
  });
}

/** Images to learn from, and those that are only to be compared with their scores. */
const answered = ({ points, checks }: LabelResult) =>
  [points, checks!.points].reduce((sum, { labelled, reused }) => sum + labelled + reused, 0);

test("kill -9 in the middle of label, then the same labels", { timeout: 180_000 }, async () => {
  const { child, done } = startLeaf(cut.dir, ["label"]);
  await until(() => pointCount(cut.dir) > 0);
  child.kill("SIGKILL");
  await done;
  expect(pointCount(cut.dir)).toBeGreaterThan(0);
  const resumed = await leafJson<LabelResult>(cut.dir, "label");
  expect(resumed.points.reused).toBeGreaterThan(0);
  expect(answered(resumed)).toBe(images);
  await leafJson<LabelResult>(whole.dir, "label");
  expect(labels(cut.dir)).toEqual(labels(whole.dir));
});

test("kill -9 in the middle of distill leaves no process and resumes to the same losses", {
  timeout: 300_000,
}, async () => {
  const { child, done } = startLeaf(cut.dir, ["distill"]);
  const stages = path.join(cut.dir, ".leaf", "stages", "distill");
  await until(
    () =>
      existsSync(stages) &&
      readdirSync(stages).some((key) => existsSync(path.join(stages, key, "checkpoints", "last.pt"))),
  );
  child.kill("SIGKILL");
  await done;
  await until(() => processesOf(cut.dir).length === 0, 10_000);
  await leafJson<DistillResult>(cut.dir, "distill");
  await leafJson<DistillResult>(whole.dir, "distill");
  expect(epochs(cut.dir)).toEqual(epochs(whole.dir));
});

test("SIGINT stops distill within two seconds and leaves no process", { timeout: 120_000 }, async () => {
  writeFileSync(path.join(cut.dir, "leaf.yaml"), config("", { epochs: 5000 }));
  const { child, done } = startLeaf(cut.dir, ["distill"]);
  let training = false;
  child.stderr!.on("data", (text: string) => (training ||= text.includes("epoch ")));
  await until(() => training);
  const started = Date.now();
  child.kill("SIGINT");
  const { code } = await done;
  expect(Date.now() - started).toBeLessThan(2000);
  expect(code).toBe(130);
  await until(() => processesOf(cut.dir).length === 0, 2000);
  const status = await leafJson<{ stages: { state: string }[] }>(cut.dir, "status");
  expect(status.stages.map((one) => one.state)).toEqual(["fresh", "stale", "missing", "missing"]);
});

const isRoot = process.getuid?.() === 0;

// Needs to mount a small file system, which only root may do.
test.skipIf(!isRoot)("a full disk is one sentence, and nothing is lost", { timeout: 120_000 }, async () => {
  const { dir, remove } = temporaryFolder();
  try {
    await makeWorkspace(dir, 12);
    execFileSync("mkdir", ["-p", path.join(dir, ".leaf")]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path.join(dir, ".leaf")]);
    try {
      const { code, stderr } = await leaf(dir, "label");
      expect(code).toBe(1);
      expect(stderr).toMatch(/no space is left on the disk/);
      expect(stderr).not.toContain("    at ");
    } finally {
      execFileSync("umount", ["-l", path.join(dir, ".leaf")]);
    }
    expect(answered(await leafJson<LabelResult>(dir, "label"))).toBe(12);
  } finally {
    remove();
  }
});

// Root may write to read-only folders, so there it takes a read-only mount.
test.skipIf(!isRoot)("a read-only disk is one sentence", { timeout: 60_000 }, async () => {
  const { dir, remove } = temporaryFolder();
  try {
    await makeWorkspace(dir, 4);
    execFileSync("mount", ["--bind", dir, dir]);
    execFileSync("mount", ["-o", "remount,ro,bind", dir]);
    try {
      const { code, stderr } = await leaf(dir, "label");
      expect(code).toBe(1);
      expect(stderr).toMatch(/read-only/);
      expect(stderr).not.toContain("    at ");
    } finally {
      execFileSync("umount", ["-l", dir]);
    }
  } finally {
    remove();
  }
});
