import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { holderOf } from "../base/lockHolder.ts";
import { lowerPriority, signalGroup } from "../base/processes.ts";
import { signalProcess } from "../base/processIdentity.ts";
import { eventsFile, isRunning, type Job, lockFile } from "./files.ts";

/** The process that works on a job, as seen by who follows it. */
export interface WorkerProcess {
  isAlive(): boolean;
  /** Tells it to end; three seconds later the hard way, with its group, unless it has ended. Never another that got its id. */
  end(hasEnded: () => boolean): Promise<void>;
}

const killAfterMs = 3_000;
/** A job trains for long, and somebody works in the editor meanwhile; the scorer, which answers nobody then, is at 10. */
const jobPriority = 5;
/** From its start to its lock: a busy machine may take long to start a program. */
const startMs = 10_000;

/** A job that this process has started. */
export function ownProcess(child: ChildProcess): WorkerProcess {
  let over = false;
  lowerPriority(child, jobPriority);
  child.once("exit", () => {
    over = true;
  });
  // It could not be started: told by the follower, as a job without a living process.
  child.once("error", () => {
    over = true;
  });
  return {
    isAlive: () => !over,
    async end(hasEnded) {
      if (over) return;
      // There is no asking there: it is ended with what it started.
      if (process.platform === "win32") signalGroup(child.pid!, "SIGTERM");
      else child.kill("SIGTERM");
      later(() => {
        if (!over && !hasEnded()) signalGroup(child.pid!, "SIGKILL");
      });
    },
  };
}

/** A job that was found, whoever started it: alive while its lock is held. */
export function foundProcess({ dir, request }: Job): WorkerProcess {
  const found = performance.now();
  // A former version wrote a process id instead of taking a lock; the process may be anybody's by now.
  const hadStarted = existsSync(eventsFile(dir)) || "pid" in request;
  return {
    isAlive() {
      if (isRunning(dir)) return true;
      // Without a lock's file it may be about to take it.
      return !hadStarted && !existsSync(lockFile(dir)) && performance.now() - found < startMs;
    },
    async end(hasEnded) {
      const holder = await holderOf(lockFile(dir));
      if (!holder || !(await signalProcess(holder.process, "SIGTERM", "process"))) return;
      later(() => {
        if (!hasEnded()) void signalProcess(holder.process, "SIGKILL", "group");
      });
    },
  };
}

function later(work: () => void): void {
  setTimeout(work, killAfterMs).unref();
}
