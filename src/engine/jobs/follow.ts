import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import type { JobEvent, JobKind, JobRequest } from "../../protocol/jobs.ts";
import { jobEvent } from "../../protocol/schema/jobs.ts";
import { appRoot } from "../appRoot.ts";
import { tellDamagedFile } from "../base/damage.ts";
import { parseAs } from "../base/json.ts";
import { isMissing } from "../files.ts";
import { isAlive } from "../processes.ts";
import type { Project } from "../project.ts";
import { createJob, eventsFile, newestJob, readRequest, stopFile, writeAttachment } from "./files.ts";

const pollMs = 120;
const heartbeatMs = 5_000;
const killAfterMs = 3_000;

/** A job seen from outside its process. */
export interface FollowedJob {
  request: JobRequest;
  /** Asks it to stop, and ends its whole process group after three seconds. Resolves once it has ended. */
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
  /** Path of the experiment's file, for a job of that kind. */
  experiment?: string;
}

/** Starts a job in a process of its own, in a group of its own. */
export async function startJob(
  project: Project,
  kind: JobKind,
  options: FollowOptions,
): Promise<FollowedJob> {
  const { dir, request } = await createJob(project, kind, options.patienceMs, options.experiment);
  await writeAttachment(dir, "attached");
  const log = openSync(path.join(dir, "process.log"), "a");
  const child = spawn(process.execPath, [path.join(appRoot(), "dist", "cli.js"), "job", dir], {
    cwd: project.root,
    detached: true,
    stdio: ["ignore", log, log],
    // Inside VS Code execPath is Electron.
    env: { ...process.env, ...options.env, ELECTRON_RUN_AS_NODE: "1" },
    windowsHide: true,
  });
  closeSync(log);
  child.on("error", () => {}); // Told by the follower: a job without a living process has failed.
  child.unref();
  return follow(dir, { ...request, pid: child.pid ?? null }, options);
}

/** The newest job of a config, if it still runs or (to show how it ended) ended; its events come from the beginning. */
export async function attachToJob(
  project: Project,
  options: FollowOptions,
): Promise<FollowedJob | undefined> {
  const found = await newestJob(project);
  if (!found) return undefined;
  return follow(found.dir, found.request, options);
}

async function follow(dir: string, request: JobRequest, options: FollowOptions): Promise<FollowedJob> {
  let [offset, ended, left] = [0, false, false];
  let current = request;
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
      const alive = await stillRuns();
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
  const stillRuns = async () => {
    if (current.pid === null) current = (await readRequest(dir)) ?? current;
    // A process that has not written its id yet gets a few seconds.
    return current.pid === null ? Date.now() - Date.parse(request.started) < 10_000 : isAlive(current.pid);
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
      if (current.pid !== null) {
        signalGroup(current.pid, "SIGTERM");
        const pid = current.pid;
        setTimeout(() => {
          if (!ended) signalGroup(pid, "SIGKILL");
        }, killAfterMs).unref();
      }
      await end;
    },
    async leave(mode) {
      left = true;
      clearInterval(heartbeat);
      if (!ended) await writeAttachment(dir, mode);
    },
  };
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

/** A job is the leader of its group; where there are no groups the process alone is ended. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(pid), "/t", "/f"]);
    else if (signal === "SIGTERM") process.kill(pid, signal);
    else process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
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
