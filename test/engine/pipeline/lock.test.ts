import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { claimFolder, holderOf } from "../../../src/engine/base/lockHolder.ts";
import { isProcessLocked, tryProcessLock } from "../../../src/engine/base/processLock.ts";
import type { Project } from "../../../src/engine/config/project.ts";
import { holdingStage, stageActivity } from "../../../src/engine/pipeline/lock.ts";
import { stageDir } from "../../../src/engine/pipeline/stage.ts";
import { quoted, say } from "../../../src/words/text.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { bystander, nodeChild } from "../../support/nodeChild.ts";
import { temporaryFolder } from "../../support/pictures.ts";

/** Works on a stage in a process of its own until it is killed; says `working`, or why it cannot. */
function worker(project: Project, wrap: string[] = []) {
  return nodeChild(
    `const { holdingStage } = await import(engine + "/pipeline/lock.ts");
    const project = ${JSON.stringify(project)};
    await holdingStage(project, "distill", "abc", async () => {
      console.log("working"); await new Promise((resolve) => setTimeout(resolve, 600_000));
    }).catch((error) => console.log(error.message));`,
    wrap,
  );
}

const work = (project: Project) => holdingStage(project, "distill", "abc", async () => "done");
const activity = (project: Project) => stageActivity(project, "distill", "abc");

test("a stage runs as long as its process, and that is told by its id", async () => {
  const project = liveProject(temporaryFolder());
  const first = worker(project);
  expect(await first.line()).toBe("working");
  expect(await activity(project)).toEqual({ running: true, failure: undefined });
  await expect(work(project)).rejects.toMatchObject({
    code: "failed",
    message: expect.stringMatching(
      new RegExp(`^The distill stage is already running \\(process ${first.pid}, since .* UTC\\)\\.$`),
    ),
  });
  expect(await worker(project).line()).toContain(`process ${first.pid}`);
  await first.kill();
  expect(await activity(project)).toEqual({ running: false, failure: undefined });
  expect(await work(project)).toBe("done");
});

test("a stage that failed tells why as data, and one of a former version in its English sentence", async () => {
  const project = liveProject(temporaryFolder());
  const failed = say`Cannot read ${"a.png"}: ${say`permission is denied`}.`;
  const failing = (error: Error) => holdingStage(project, "distill", "abc", () => Promise.reject(error));
  await failing(new LeafError("failed", failed, { remedy: say`Check the path.` })).catch(() => {});
  expect((await activity(project)).failure).toEqual(failed);
  await failing(new LeafError("cancelled", say`Cancelled.`)).catch(() => {});
  expect((await activity(project)).failure).toBeUndefined();
  writeFileSync(path.join(stageDir(project, "distill", "abc"), "failed.txt"), "The disk is full.\n");
  expect((await activity(project)).failure).toEqual(quoted("The disk is full."));
  expect(await work(project)).toBe("done");
  expect((await activity(project)).failure).toBeUndefined();
});

test("a former version's file with the id of a process that runs holds nothing, and goes", async () => {
  const project = liveProject(temporaryFolder());
  const other = bystander();
  await other.line();
  const dir = stageDir(project, "distill", "abc");
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "running.pid"), String(other.pid));
  expect((await activity(project)).running).toBe(false);
  expect(await work(project)).toBe("done");
  expect(existsSync(path.join(dir, "running.pid"))).toBe(false);
});

/** Namespaces need root or a kernel that lets users make them. */
function canUnshare(): boolean {
  try {
    execFileSync("unshare", ["--pid", "--fork", "--mount-proc", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
const container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

// Skipped where no namespace of process ids can be made.
test.runIf(canUnshare())("process 1 of a container that was killed can be started again", async () => {
  const project = liveProject(temporaryFolder());
  for (let restart = 0; restart < 3; restart++) {
    const first = worker(project, container);
    expect(await first.line()).toBe("working");
    const lock = path.join(stageDir(project, "distill", "abc"), "running.lock");
    expect(JSON.parse(readFileSync(`${lock}.json`, "utf8")).process.pid).toBe(1);
    // From outside it runs, and is not to be signalled: our process 1 is another.
    expect(isProcessLocked(lock)).toBe(true);
    expect(await holderOf(lock)).toBeUndefined();
    await first.kill();
  }
  expect((await activity(project)).running).toBe(false);
});

test("what remains of a killed worker is not told as who holds the lock now", async () => {
  const project = liveProject(temporaryFolder());
  const first = worker(project);
  await first.line();
  await first.kill();
  const lock = tryProcessLock(path.join(stageDir(project, "distill", "abc"), "running.lock"))!;
  await expect(work(project)).rejects.toThrow("The distill stage is already running (another process).");
  lock.release();
});

test("who waits for a folder that is being removed gets one that is there", async () => {
  const project = liveProject(temporaryFolder());
  const dir = stageDir(project, "distill", "abc");
  mkdirSync(dir, { recursive: true });
  const claim = (await claimFolder(dir, "running.lock"))!;
  await expect(work(project)).rejects.toThrow("already running");
  await claim.remove();
  expect(existsSync(dir)).toBe(false);
  const lockFile = path.join(dir, "running.lock");
  const held = await holdingStage(project, "distill", "abc", async () => isProcessLocked(lockFile));
  expect(held).toBe(true);
});

test("a lock whose file was removed and made anew belongs to one process all the same", () => {
  const file = path.join(temporaryFolder(), "a.lock");
  const first = tryProcessLock(file)!;
  rmSync(file);
  const second = tryProcessLock(file)!;
  expect(second).toBeDefined();
  expect(tryProcessLock(file)).toBeUndefined();
  first.release();
  expect(tryProcessLock(file)).toBeUndefined();
  second.release();
});

test("many may share a lock, nobody has it alone meanwhile, and asking is in nobody's way", async () => {
  const file = path.join(temporaryFolder(), "a.lock");
  const shared = nodeChild(
    `const { tryProcessLock } = await import(engine + "/base/processLock.ts");
    globalThis.lock = tryProcessLock(${JSON.stringify(file)}, "shared");
    console.log(globalThis.lock !== undefined); setInterval(() => {}, 1000);`,
  );
  expect(await shared.line()).toBe("true");
  const own = tryProcessLock(file, "shared");
  expect(own).toBeDefined();
  expect(tryProcessLock(file)).toBeUndefined();
  expect(isProcessLocked(file)).toBe(false);
  own!.release();
  expect(tryProcessLock(file)).toBeUndefined();
  await shared.kill();
  const alone = tryProcessLock(file);
  expect(alone).toBeDefined();
  expect(tryProcessLock(file, "shared")).toBeUndefined();
  alone!.release();
});
