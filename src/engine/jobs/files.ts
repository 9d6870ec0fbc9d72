import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { JobEvent, JobKind, JobRequest } from "../../protocol/jobs.ts";
import { attachment, jobRequest } from "../../protocol/schema/jobs.ts";
import { tellDamagedFile } from "../base/damage.ts";
import { checkedId, inside, isId } from "../base/ids.ts";
import { readJsonAs } from "../base/json.ts";
import { isMissing, writeFileAtomic, writeJson } from "../files.ts";
import { ensureLeafDir, type Project } from "../project.ts";

/**
 * A job's folder, `.leaf/jobs/<id>/`: `job.json` says what it does and which process does it, `events.jsonl` tells how it goes
 * (one JobEvent a line, the last one `end`), `attached.json` who listens, `stop` that it was asked to stop. Files rather than a
 * socket, so that a window that was reloaded finds its job again, and a job outlives its window only if it was let go.
 */
export const eventsFile = (dir: string) => path.join(dir, "events.jsonl");
export const stopFile = (dir: string) => path.join(dir, "stop");
const attachedFile = (dir: string) => path.join(dir, "attached.json");
const requestFile = (dir: string) => path.join(dir, "job.json");

const keptJobs = 20;
/** Longer than a reload of the window takes. */
const defaultPatienceMs = 45_000;

/** The folder of a job. Throws LeafError `input` for what is no job's id, and for a link out of `.leaf/`. */
export function jobDir(project: Project, id: string): string {
  return inside(project.leaf, "jobs", checkedId("job", id));
}

/** Makes the folder of a new job and forgets the oldest ones. */
export async function createJob(
  project: Project,
  kind: JobKind,
  patienceMs = defaultPatienceMs,
  experiment?: string,
): Promise<{ dir: string; request: JobRequest }> {
  await ensureLeafDir(project);
  const jobs = path.join(project.leaf, "jobs");
  const id = `${Date.now().toString(36)}-${randomBytes(3).toString("hex")}`;
  const dir = jobDir(project, id);
  const request: JobRequest = {
    v: 1,
    id,
    kind,
    configFile: project.configFile,
    started: new Date().toISOString(),
    pid: null,
    patienceMs,
    ...(experiment ? { experiment } : {}),
  };
  await writeRequest(dir, request);
  const names = await jobNames(jobs);
  for (const name of names.slice(0, Math.max(0, names.length - keptJobs)))
    await rm(path.join(jobs, name), { recursive: true, force: true });
  return { dir, request };
}

export async function writeRequest(dir: string, request: JobRequest): Promise<void> {
  await writeJson(requestFile(dir), request);
}

export async function readRequest(dir: string): Promise<JobRequest | undefined> {
  const request = await readJsonAs<JobRequest>(requestFile(dir), jobRequest);
  if (request === undefined || request.id === path.basename(dir)) return request;
  tellDamagedFile(requestFile(dir), `it is of the job ${request.id}`);
  return undefined;
}

/** The newest job of a config. */
export async function newestJob(project: Project): Promise<{ dir: string; request: JobRequest } | undefined> {
  const jobs = path.join(project.leaf, "jobs");
  for (const name of (await jobNames(jobs)).reverse()) {
    const dir = path.join(jobs, name);
    const request = await readRequest(dir);
    if (request?.configFile === project.configFile) return { dir, request };
  }
  return undefined;
}

/** Ids begin with the time in base 36, which sorts by age. */
async function jobNames(jobs: string): Promise<string[]> {
  try {
    const entries = await readdir(jobs, { withFileTypes: true });
    // A link is no job: it would be written to, and forgotten with all that is in it.
    return entries
      .filter((one) => one.isDirectory() && isId("job", one.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Synchronous: an event is on disk before the next thing happens, however the process ends. */
export function appendEvent(dir: string, event: JobEvent): void {
  appendFileSync(eventsFile(dir), `${JSON.stringify(event)}\n`);
}

/** Someone listens (say so again at least every ten seconds), or has let the job go to finish by itself. */
export interface Attachment {
  mode: "attached" | "released";
  at: number;
}

export async function writeAttachment(dir: string, mode: Attachment["mode"]): Promise<void> {
  const attachment: Attachment = { mode, at: Date.now() };
  await writeFileAtomic(attachedFile(dir), JSON.stringify(attachment));
}

export async function readAttachment(dir: string): Promise<Attachment | undefined> {
  return readJsonAs<Attachment>(attachedFile(dir), attachment);
}
