import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { errnoCode } from "./errors.ts";

const graceMs = 1000;

/** Children that still run, so that the last breath of the engine can take them along. */
const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) killGroup(child, "SIGKILL");
});

/**
 * Starts a child in a process group of its own, so that stopping it also stops what it started (torchrun's
 * workers, for one). Never a shell: arguments are passed as they are.
 */
export function spawnGroup(command: string, args: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, { ...options, shell: false, detached: process.platform !== "win32" });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}

/** Asks the whole group to stop, and ends it after a second's grace. */
export function stopGroup(child: ChildProcess): void {
  killGroup(child, "SIGTERM");
  const timer = setTimeout(() => killGroup(child, "SIGKILL"), graceMs);
  child.once("exit", () => {
    clearTimeout(timer);
    // A worker may outlive its leader.
    killGroup(child, "SIGKILL");
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) signalGroup(child.pid, signal);
}

/** Signals a process and its group, whoever started it; where there are no groups its tree is ended. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(leader), "/t", "/f"]);
    else process.kill(-leader, signal);
  } catch {
    // The group is already gone.
  }
}

/** Whether a process runs, whoever started it. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoCode(error) === "EPERM";
  }
}
