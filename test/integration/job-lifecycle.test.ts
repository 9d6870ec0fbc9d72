import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openProject, type Project } from "../../src/engine/config/project.ts";
import { createJob, newestJob } from "../../src/engine/jobs/files.ts";
import { attachToJob, type FollowedJob, startJob } from "../../src/engine/jobs/follow.ts";
import type { JobEvent } from "../../src/protocol/jobs.ts";
import { trackJobs } from "../../src/server/jobTracker.ts";
import { type ChatServer, startChatServer } from "../support/chatServer.ts";
import { bystander, isThere, nodeChild } from "../support/nodeChild.ts";
import { makeWorkspace, temporaryFolder } from "./workspace.ts";

// Real job processes of the built command line, at work as long as their teacher does not answer.
let teacher: ChatServer;
beforeAll(async () => {
  teacher = await startChatServer(() => new Promise(() => {}));
});
afterAll(() => teacher.close());

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(25))
    if (condition()) return;
  throw new Error("It did not happen in time.");
}

async function project(): Promise<Project> {
  const { dir, remove } = temporaryFolder();
  onTestFinished(remove);
  await makeWorkspace(dir, 3);
  writeFileSync(
    path.join(dir, "leaf.yaml"),
    `images: photos\nteacher: { kind: openai, model: m, endpoint: "${teacher.url}", concurrency: 1 }\n`,
  );
  return openProject(path.join(dir, "leaf.yaml"));
}

const jobsOf = ({ leaf }: Project) => path.join(leaf, "jobs");
const folderOf = (project: Project, job: FollowedJob) => path.join(jobsOf(project), job.request.id);

/** Waits for the process that works on a job, and tells its id. */
async function workerOf(project: Project, job: FollowedJob): Promise<number> {
  const holder = path.join(folderOf(project, job), "running.lock.json");
  await until(() => existsSync(holder));
  return JSON.parse(readFileSync(holder, "utf8")).process.pid;
}

function listener() {
  const events: JobEvent[] = [];
  return { events, onEvents: (told: JobEvent[]) => void events.push(...told), end: () => events.find(isEnd) };
}
const isEnd = (event: JobEvent) => event.type === "end";

async function started(project: Project, patienceMs?: number) {
  const heard = listener();
  const job = await startJob(project, "label", { ...heard, patienceMs });
  const worker = await workerOf(project, job);
  // A test that fails leaves nothing behind.
  onTestFinished(async () => void (await (await attachToJob(project, listener(), "none"))?.stop()));
  return { job, heard, worker };
}

test("a job that sleeps longer than its patience goes on when its window is back", async () => {
  const one = await project();
  const { job, heard, worker } = await started(one, 4_000);
  // The whole machine sleeps: neither the job nor its window does anything.
  await job.leave("attached");
  process.kill(worker, "SIGSTOP");
  await sleep(6_000);
  process.kill(worker, "SIGCONT");
  // The window takes a moment to wake up; the job has looked around by then.
  await sleep(1_300);
  const again = (await attachToJob(one, heard))!;
  await sleep(1_300);
  expect(heard.end()).toBeUndefined();
  await again.stop();
  expect(heard.end()).toMatchObject({ state: "cancelled" });
  expect(heard.end()).not.toHaveProperty("failure");
});

test("a job that nobody listens to says why it stopped", async () => {
  const one = await project();
  const { job, worker } = await started(one, 2_000);
  await job.leave("attached");
  await until(() => !existsSync(`/proc/${worker}`));
  const late = listener();
  await attachToJob(one, late);
  expect(late.end()).toMatchObject({
    state: "cancelled",
    failure: { code: "cancelled", message: "Cancelled: no window listened for 2 s." },
  });
});

test("stop ends a job at once, also one that was found again", async () => {
  const one = await project();
  const { job, worker } = await started(one);
  await job.leave("released");
  const heard = listener();
  const found = (await attachToJob(one, heard))!;
  const begun = performance.now();
  await found.stop();
  expect(performance.now() - begun).toBeLessThan(2_500);
  expect(heard.end()).toMatchObject({ state: "cancelled" });
  await until(() => !existsSync(`/proc/${worker}`));
});

test("a job that does not answer is ended with its group, also one that was found again", async () => {
  const one = await project();
  const { job, worker } = await started(one);
  process.kill(worker, "SIGSTOP");
  await job.leave("released");
  const found = (await attachToJob(one, listener()))!;
  await found.stop();
  await until(() => !existsSync(`/proc/${worker}`));
});

/** A job's folder as a former version, or a process that was killed, leaves it. */
function leftJob(project: Project, id: string, request: object): string {
  const dir = path.join(jobsOf(project), id);
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    path.join(dir, "job.json"),
    JSON.stringify({
      v: 1,
      id,
      kind: "distill",
      configFile: project.configFile,
      started: "2026-11-27T00:00:00.000Z",
      patienceMs: 45_000,
      ...request,
    }),
  );
  return dir;
}

test("a job that a crash left has ended, and stopping it leaves whoever got its id alone", async () => {
  const one = await project();
  const other = bystander();
  await other.line();
  leftJob(one, "m0000000-abcdef", { pid: other.pid });
  const tracker = trackJobs(() => {});
  await tracker.attach(one);
  expect(tracker.snapshot()).toMatchObject({
    id: "m0000000-abcdef",
    state: "failed",
    failure: { message: "The process of `distill` ended without a word." },
  });
  expect(await tracker.stop()).toBe(false);
  await (await attachToJob(one, listener()))!.stop();
  expect(isThere(other)).toBe(true);
  // The next one can be started.
  expect((await tracker.start(one, "label", {})).state).toBe("running");
  expect(await tracker.stop()).toBe(true);
});

test("a job whose lock somebody else holds is told as what cannot be ended from here", async () => {
  const one = await project();
  const other = bystander();
  await other.line();
  const dir = leftJob(one, "m0000000-abcdef", {});
  // As from another container: the same id, which is another's here.
  const stranger = { pid: other.pid, began: "1", space: "another boot pid:[1]", host: "elsewhere" };
  const lock = path.join(dir, "running.lock");
  writeFileSync(
    `${lock}.json`,
    JSON.stringify({ v: 1, process: stranger, since: "2026-11-27T10:00:00.000Z" }),
  );
  const holder = nodeChild(
    `const { tryProcessLock } = await import(engine + "/base/processLock.ts");
    globalThis.lock = tryProcessLock(${JSON.stringify(lock)}); console.log("held"); setInterval(() => {}, 1000);`,
  );
  await holder.line();
  const job = (await attachToJob(one, { ...listener(), stopPatienceMs: 1_000 }))!;
  await expect(job.stop()).rejects.toMatchObject({
    code: "failed",
    message: `\`distill\` does not stop, and cannot be ended from here (process ${other.pid} on elsewhere, since 2026-11-27 10:00 UTC).`,
  });
  expect([isThere(other), isThere(holder)]).toEqual([true, true]);
});

test("a long job outlasts any number of short ones, is found again and can be stopped", async () => {
  const one = await project();
  const { job, heard } = await started(one);
  for (let i = 0; i < 25; i++)
    await createJob({ ...one, configFile: path.join(one.root, "b.leaf.yaml") }, "label");
  // Of its own config too.
  for (let i = 0; i < 3; i++) await createJob(one, "label");
  expect(existsSync(folderOf(one, job))).toBe(true);
  // It and the 20 newest of those that have ended.
  expect(readdirSync(jobsOf(one))).toHaveLength(21);
  await job.leave("released");
  const tracker = trackJobs(() => {});
  await tracker.attach(one);
  expect(tracker.snapshot()).toMatchObject({ id: job.request.id, state: "running" });
  expect(heard.end()).toBeUndefined();
  expect(await tracker.stop()).toBe(true);
  expect(tracker.snapshot()).toMatchObject({ id: job.request.id, state: "cancelled", failure: null });
});

test("of several that run the newest is followed, and the others after it", async () => {
  const one = await project();
  const first = await started(one);
  // Other pairs are another stage: the same one is worked on once.
  const config = readFileSync(one.configFile, "utf8");
  writeFileSync(one.configFile, `${config}label: { pairsPerImage: 2 }\n`);
  const second = await started(one);
  await first.job.leave("released");
  await second.job.leave("released");
  const tracker = trackJobs(() => {});
  await tracker.attach(one);
  expect(tracker.snapshot()?.id).toBe(second.job.request.id);
  await tracker.stop();
  await tracker.attach(one);
  expect(tracker.snapshot()).toMatchObject({ id: first.job.request.id, state: "running" });
  await tracker.stop();
  await tracker.attach(one);
  expect(tracker.snapshot()).toMatchObject({ id: first.job.request.id, state: "cancelled" });
});

test("a new job runs though the clock has been set back since the last ones", async () => {
  const one = await project();
  for (let i = 0; i < 22; i++) {
    // Of the year 2049.
    const dir = leftJob(one, `${(2_500_000_000_000 + i).toString(36)}-aaaaaa`, {
      started: "2049-03-22T00:00:00.000Z",
    });
    writeFileSync(path.join(dir, "events.jsonl"), '{"at":1,"type":"end","state":"done"}\n');
  }
  const { job, heard } = await started(one);
  expect((await newestJob(one))?.request.id).toBe(job.request.id);
  expect(readdirSync(jobsOf(one)).sort().at(-1)).toBe(job.request.id);
  expect(heard.end()).toBeUndefined();
});
