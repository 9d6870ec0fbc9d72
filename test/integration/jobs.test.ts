import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openProject, type Project } from "../../src/engine/config/project.ts";
import { attachToJob, startJob } from "../../src/engine/jobs/follow.ts";
import type { JobEvent } from "../../src/protocol/jobs.ts";
import { config, makeWorkspace, temporaryFolder } from "./workspace.ts";

// Real job processes of the built command line.
const { dir, remove } = temporaryFolder();
let project: Project;
beforeAll(async () => {
  await makeWorkspace(dir, 24);
  project = await openProject(path.join(dir, "leaf.yaml"));
});
afterAll(remove);

function listener() {
  const events: JobEvent[] = [];
  const waiting: { is: (event: JobEvent) => boolean; resolve: (event: JobEvent) => void }[] = [];
  return {
    events,
    onEvents(told: JobEvent[]) {
      events.push(...told);
      for (const one of waiting) {
        const found = told.find(one.is);
        if (found) one.resolve(found);
      }
    },
    until(is: (event: JobEvent) => boolean): Promise<JobEvent> {
      const found = events.find(is);
      return found ? Promise.resolve(found) : new Promise((resolve) => waiting.push({ is, resolve }));
    },
  };
}
const isEnd = (event: JobEvent) => event.type === "end";
/** Processes whose command line names this workspace. */
function processes(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return line.includes(dir) ? [`${pid} ${line}`] : [];
    } catch {
      return [];
    }
  });
}
async function until(condition: () => boolean, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error("It did not come about in time.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a job tells its progress and its result, and one who comes late hears all of it", async () => {
  const first = listener();
  await startJob(project, "label", first);
  const end = await first.until(isEnd);
  expect(end).toMatchObject({
    state: "done",
    result: {
      images: 17,
      points: { labelled: 17, failed: 0 },
      checks: { points: { labelled: 7, failed: 0 } },
    },
  });
  const points = first.events.flatMap((event) =>
    event.type === "progress" && event.progress.step === "points" ? [event.progress.done] : [],
  );
  expect(points).toContain(17);
  expect(points.at(-1)).toBe(7);
  const late = listener();
  await attachToJob(project, late);
  expect(late.events).toEqual(first.events);
});

test("a failure is one sentence in the last event", async () => {
  writeFileSync(path.join(dir, "broken.leaf.yaml"), config().replace("images: photos", "images: nowhere"));
  const broken = await openProject(path.join(dir, "broken.leaf.yaml"));
  const heard = listener();
  await startJob(broken, "label", heard);
  expect(await heard.until(isEnd)).toMatchObject({
    state: "failed",
    failure: { code: "config", message: "`images`: nowhere does not exist." },
  });
});

test("a job on a cluster asks from there", async () => {
  writeFileSync(
    path.join(dir, "cluster.leaf.yaml"),
    config("label: { pairsPerImage: 6 }").replace(/^label.*\n/m, ""),
  );
  const heard = listener();
  await startJob(await openProject(path.join(dir, "cluster.leaf.yaml")), "label", {
    ...heard,
    env: { LEAF_RAY_PYTHON: path.join(dir, "no-python") },
    details: { cluster: { address: null, workerGpus: 0 } },
  });
  // There is none: without the cluster it would have ended well.
  expect(await heard.until(isEnd)).toMatchObject({
    state: "failed",
    failure: { code: "environment", message: expect.stringContaining("no-python") },
  });
});

test("let go, it goes on without a listener; stopped by the next one, it leaves no process and resumes", {
  timeout: 120_000,
}, async () => {
  writeFileSync(path.join(dir, "long.leaf.yaml"), config("", { epochs: 500 }));
  const long = await openProject(path.join(dir, "long.leaf.yaml"));
  const first = listener();
  const job = await startJob(long, "distill", first);
  await first.until((event) => event.type === "trainer" && event.message.type === "metrics");
  await job.leave("released");
  const heardBefore = first.events.length;
  const second = listener();
  const again = (await attachToJob(long, second))!;
  expect(again.request.id).toBe(job.request.id);
  expect(second.events.length).toBeGreaterThanOrEqual(heardBefore);
  expect(second.events.slice(0, heardBefore)).toEqual(first.events.slice(0, heardBefore));
  await second.until((event) => !first.events.slice(0, heardBefore).some((one) => one.at === event.at));
  const started = performance.now();
  await again.stop();
  // Three seconds of grace, then the process group is ended.
  expect(performance.now() - started).toBeLessThan(8000);
  expect(second.events.at(-1)).toMatchObject({ type: "end", state: "cancelled" });
  await until(() => processes().length === 0);
  expect(existsSync(path.join(dir, ".leaf/stages/distill"))).toBe(true);
});

test("a job that nobody listens to, and nobody has let go, stops by itself", {
  timeout: 60_000,
}, async () => {
  const long = await openProject(path.join(dir, "long.leaf.yaml"));
  const heard = listener();
  const job = await startJob(long, "distill", { ...heard, patienceMs: 4000 });
  await heard.until((event) => event.type === "trainer");
  // As if the listener had died: no word, no heartbeat.
  await job.leave("attached");
  await until(() => processes().length === 0, 30_000);
  const late = listener();
  await attachToJob(long, late);
  expect(late.events.at(-1)).toMatchObject({ type: "end", state: "cancelled" });
});

test("a job whose process was killed has failed, in words", { timeout: 60_000 }, async () => {
  const long = await openProject(path.join(dir, "long.leaf.yaml"));
  const heard = listener();
  await startJob(long, "distill", heard);
  await heard.until((event) => event.type === "trainer");
  const leader = processes().find((line) => line.includes(" job "))!;
  process.kill(Number(leader.split(" ")[0]), "SIGKILL");
  expect(await heard.until(isEnd)).toMatchObject({ state: "failed", failure: { code: "failed" } });
  await until(() => processes().length === 0);
});
