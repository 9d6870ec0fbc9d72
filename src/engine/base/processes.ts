import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

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

/**
 * Signals a child and its group; where there are no groups its tree is ended. Only for a child that this process has started and
 * knows to be there: of any other process an id says nothing (see signalProcess). False where nothing was left.
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(leader), "/t", "/f"]);
    else process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether anything is left of a child's group, the child itself included. */
export function groupExists(leader: number): boolean {
  try {
    process.kill(process.platform === "win32" ? leader : -leader, 0);
    return true;
  } catch {
    return false;
  }
}
