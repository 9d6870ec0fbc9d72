import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { JobEvent, JobKind, JobRequest } from "../../protocol/jobs.ts";
import { attachment, jobRequest } from "../../protocol/schema/jobs.ts";
import { tellDamagedFile } from "../base/damage.ts";
import { isMissing, writeFileAtomic, writeJson } from "../base/files.ts";
import { checkedId, inside } from "../base/ids.ts";
import { parseAs, readJsonAs } from "../base/json.ts";
import { claimFolder } from "../base/lockHolder.ts";
import { isProcessLocked } from "../base/processLock.ts";
import { redactValue } from "../base/redact.ts";
import { ensureLeafDir, type Project } from "../config/project.ts";
import { jobIdAfter, sortedJobIds } from "./ids.ts";

/**
 * A job's folder, `.leaf/jobs/<id>/`: `job.json` says what it does, `running.lock` is held by the process that does it,
 * `events.jsonl` tells how it goes (one JobEvent a line, the last one `end`), `attached.json` who listens, `stop` that it was
 * asked to stop. Files rather than a socket, so that a window that was reloaded finds its job again, and a job outlives its
 * window only if it was let go.
 */
export const eventsFile = (dir: string) => path.join(dir, "events.jsonl");
export const stopFile = (dir: string) => path.join(dir, "stop");
export const lockFile = (dir: string) => path.join(dir, lockName);
const lockName = "running.lock";
const attachedFile = (dir: string) => path.join(dir, "attached.json");
const requestFile = (dir: string) => path.join(dir, "job.json");

/** Of those that have ended. */
const keptJobs = 20;
/** Longer than a reload of the window takes. */
const defaultPatienceMs = 45_000;

export interface Job {
  dir: string;
  request: JobRequest;
}

/** The folder of a job. Throws LeafError `input` for what is no job's id, and for a link out of `.leaf/`. */
export function jobDir(project: Project, id: string): string {
  return inside(project.leaf, "jobs", checkedId("job", id));
}

/** What some kinds of jobs need besides. */
export type JobDetails = Pick<JobRequest, "experiment" | "cluster">;

/** Makes the folder of a new job and forgets the oldest ones that have ended. */
export async function createJob(
  project: Project,
  kind: JobKind,
  patienceMs = defaultPatienceMs,
  details: JobDetails = {},
): Promise<Job> {
  await ensureLeafDir(project);
  const jobs = jobsFolder(project);
  const before = await jobIds(jobs);
  const id = jobIdAfter(before.at(-1), Date.now(), randomBytes(3).toString("hex"));
  const dir = jobDir(project, id);
  const request: JobRequest = {
    v: 1,
    id,
    kind,
    configFile: project.configFile,
    started: new Date().toISOString(),
    patienceMs,
    ...details,
  };
  await writeJson(requestFile(dir), request);
  await forgetOldJobs(jobs, before);
  return { dir, request };
}

/** A job that runs stays, however many came after it. */
async function forgetOldJobs(jobs: string, ids: string[]): Promise<void> {
  const ended = ids.filter((id) => !isRunning(path.join(jobs, id)));
  // One that cannot be removed now is removed later: it must not keep a new one from starting.
  for (const id of ended.slice(0, Math.max(0, ended.length + 1 - keptJobs)))
    await claimFolder(path.join(jobs, id), lockName)
      .then((claimed) => claimed?.remove("job.json"))
      .catch(() => {});
}

export async function readRequest(dir: string): Promise<JobRequest | undefined> {
  const request = await readJsonAs<JobRequest>(requestFile(dir), jobRequest);
  if (request === undefined || request.id === path.basename(dir)) return request;
  tellDamagedFile(requestFile(dir), `it is of the job ${request.id}`);
  return undefined;
}

/** Whether a process works on the job now. One that has just been started may not have come that far. */
export function isRunning(dir: string): boolean {
  return isProcessLocked(lockFile(dir));
}

/** The job of a config to look at: the newest that runs, else the newest. */
export async function newestJob(project: Project): Promise<Job | undefined> {
  const own: Job[] = [];
  for (const id of (await jobIds(jobsFolder(project))).reverse()) {
    const dir = path.join(jobsFolder(project), id);
    const request = await readRequest(dir);
    if (request?.configFile === project.configFile) own.push({ dir, request });
  }
  return own.find(({ dir }) => isRunning(dir)) ?? own[0];
}

const jobsFolder = (project: Project) => path.join(project.leaf, "jobs");

/** Ids in the order in which the jobs were started. */
async function jobIds(jobs: string): Promise<string[]> {
  try {
    const entries = await readdir(jobs, { withFileTypes: true });
    // A link is no job: it would be written to, and forgotten with all that is in it.
    return sortedJobIds(entries.filter((one) => one.isDirectory()).map(({ name }) => name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Synchronous: an event is on disk before the next thing happens, however the process ends. */
export function appendEvent(dir: string, event: JobEvent): void {
  appendFileSync(eventsFile(dir), `${JSON.stringify(redactValue(event))}\n`);
}

/** Someone listens (say so again at least every ten seconds), or has let the job go to finish by itself. */
interface Attachment {
  mode: "attached" | "released";
  /** When it was said, for people. */
  at: number;
  /** New each time: clocks are set, and a job only looks whether somebody has said something new. */
  word: string;
}

export async function writeAttachment(dir: string, mode: Attachment["mode"]): Promise<void> {
  const attachment: Attachment = { mode, at: Date.now(), word: randomBytes(6).toString("hex") };
  await writeFileAtomic(attachedFile(dir), JSON.stringify(attachment));
}

/** What was said last: the same text means that nobody has said anything since. */
export async function readAttachment(dir: string): Promise<{ text: string; released: boolean } | undefined> {
  const text = await readFile(attachedFile(dir), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const read = parseAs<Attachment>(text, attachment);
  return { text, released: read.ok && read.value.mode === "released" };
}
