import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobEvent, JobKind, JobRequest } from "../../protocol/jobs.ts";
import { jobEvent } from "../../protocol/schema/jobs.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { tellDamagedFile } from "../base/damage.ts";
import { LeafError } from "../base/errors.ts";
import { isMissing } from "../base/files.ts";
import { parseAs } from "../base/json.ts";
import { holderWords } from "../base/lockHolder.ts";
import { startDetached } from "../base/ownProcess.ts";
import type { Project } from "../config/project.ts";
import {
  createJob,
  eventsFile,
  isRunning,
  type Job,
  type JobDetails,
  lockFile,
  newestJob,
  stopFile,
  writeAttachment,
} from "./files.ts";
import { foundProcess, ownProcess, type WorkerProcess } from "./workerProcess.ts";

const pollMs = 120;
const heartbeatMs = 5_000;
/** Longer than the hard way takes. */
const giveUpMs = 15_000;

/** A job seen from outside its process. */
export interface FollowedJob {
  request: JobRequest;
  /**
   * Asks it to stop, and ends its whole process group after three seconds. Resolves once it has ended; throws LeafError `failed`
   * where it does not, and runs where it cannot be ended from here.
   */
  stop(): Promise<void>;
  /** Stops listening. `released`: it may finish by itself; otherwise it stops when nobody comes back. */
  leave(mode: "released" | "attached"): Promise<void>;
}

export interface FollowOptions {
  /** New events in their order; the last call ends with an `end`. */
  onEvents(events: JobEvent[]): void;
  env?: Record<string, string>;
  /** For tests: the time after which a job that nobody listens to stops. */
  patienceMs?: number;
  /** For tests: how long a stop is waited for. */
  stopPatienceMs?: number;
  /** Of a new job. */
  details?: JobDetails;
}

/** Starts a job in a process of its own, in a group of its own. */
export async function startJob(
  project: Project,
  kind: JobKind,
  options: FollowOptions,
): Promise<FollowedJob> {
  const job = await createJob(project, kind, options.patienceMs, options.details);
  const { dir } = job;
  await writeAttachment(dir, "attached");
  const child = startDetached(["job", dir], {
    cwd: project.root,
    env: options.env,
    log: { file: path.join(dir, "process.log"), flags: "a" },
  });
  return follow(job, ownProcess(child), options);
}

/**
 * The job of a config that runs, the newest of several; else the newest, to show how it ended. Its events come from the beginning.
 * `other`: not this one, and only one that runs.
 */
export async function attachToJob(
  project: Project,
  options: FollowOptions,
  other?: string,
): Promise<FollowedJob | undefined> {
  const found = await newestJob(project);
  if (!found || (other !== undefined && (found.request.id === other || !isRunning(found.dir))))
    return undefined;
  return follow(found, foundProcess(found), options);
}

async function follow(
  { dir, request }: Job,
  worker: WorkerProcess,
  options: FollowOptions,
): Promise<FollowedJob> {
  let [offset, ended, left] = [0, false, false];
  let resolveEnd = () => {};
  const end = new Promise<void>((resolve) => {
    resolveEnd = resolve;
  });
  const deliver = (events: JobEvent[]) => {
    if (events.length === 0) return;
    if (events.at(-1)?.type === "end") finish();
    options.onEvents(events);
  };
  const finish = () => {
    ended = true;
    clearInterval(heartbeat);
    resolveEnd();
  };
  const readOn = async (): Promise<JobEvent[]> => {
    const { text, bytes } = await readFrom(eventsFile(dir), offset);
    offset += bytes;
    return text.split("\n").flatMap(parseEvent);
  };
  const tick = async () => {
    if (ended || left) return;
    try {
      const alive = worker.isAlive();
      deliver(await readOn());
      // Asked before the last read: what it wrote before it died has been read.
      if (!ended && !alive) {
        const stopped = (await readFrom(stopFile(dir), 0)).bytes > 0;
        deliver([lastWord(stopped, request)]);
      }
    } finally {
      if (!ended && !left) setTimeout(tick, pollMs);
    }
  };
  const heartbeat = setInterval(
    () => {
      void writeAttachment(dir, "attached").catch(() => {});
    },
    Math.min(heartbeatMs, request.patienceMs / 4),
  );
  heartbeat.unref();
  await tick();
  if (!ended) await writeAttachment(dir, "attached");

  return {
    request,
    async stop() {
      if (ended) return;
      await writeFile(stopFile(dir), "stop\n");
      await worker.end(() => ended);
      const tooLong = new AbortController();
      const gaveUp = sleep(options.stopPatienceMs ?? giveUpMs, true, { signal: tooLong.signal }).catch(
        () => false,
      );
      const inVain = await Promise.race([end.then(() => false), gaveUp]);
      tooLong.abort();
      if (inVain) throw doesNotEnd(request, await holderWords(lockFile(dir)));
    },
    async leave(mode) {
      left = true;
      clearInterval(heartbeat);
      if (!ended) await writeAttachment(dir, mode);
    },
  };
}

function doesNotEnd({ kind }: JobRequest, who: Text): LeafError {
  return new LeafError("failed", say`\`${kind}\` does not stop, and cannot be ended from here (${who}).`, {
    remedy: say`End that process by hand, on the machine or in the container that it runs in.`,
  });
}

function lastWord(stopped: boolean, request: JobRequest): JobEvent {
  if (stopped) return { at: Date.now(), type: "end", state: "cancelled" };
  return {
    at: Date.now(),
    type: "end",
    state: "failed",
    failure: {
      code: "failed",
      message: `The process of \`${request.kind}\` ended without a word.`,
      remedy: "Run it again: it goes on where it was. Its log is process.log in .leaf/jobs.",
    },
  };
}

async function readFrom(file: string, offset: number): Promise<{ text: string; bytes: number }> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      if (size <= offset) return { text: "", bytes: 0 };
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset);
      // A letter cut in two is read again with the next line.
      const whole = buffer.subarray(0, buffer.lastIndexOf(10, bytesRead - 1) + 1);
      return { text: whole.toString("utf8"), bytes: whole.length };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error)) return { text: "", bytes: 0 };
    throw error;
  }
}

function parseEvent(line: string): JobEvent[] {
  if (line === "") return [];
  const read = parseAs<JobEvent>(line, jobEvent);
  if (read.ok) return [read.value];
  tellDamagedFile("A line of events.jsonl", read.why);
  return [];
}
