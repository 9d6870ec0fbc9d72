import { type ChildProcess, spawn } from "node:child_process";
import os from "node:os";
import { createInterface } from "node:readline";
import { StringDecoder } from "node:string_decoder";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "./errors.ts";

/** Has other processes go before a child, and before all that it starts from now on. */
export function lowerPriority({ pid }: ChildProcess, to: number): void {
  if (pid === undefined) return;
  try {
    if (os.getPriority(pid) < to) os.setPriority(pid, to);
  } catch {
    // Gone already, or not allowed here.
  }
}

/** How a child ended. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  error?: Error;
}

export interface StartOptions {
  cwd?: string;
  /** All of it: see environment.ts. */
  env: NodeJS.ProcessEnv;
  /** A pipe tells the child when this process is gone. */
  stdin?: "pipe" | "ignore";
  /** Node's channel for messages, in place of its standard output. */
  channel?: boolean;
  /** Aborting ends it with all that it started. */
  signal?: AbortSignal;
  onStderr?(text: string): void;
}

/** A child of this process, which ends with it. */
export interface Child {
  process: ChildProcess;
  /** Once it has ended and all that it said has been read; never rejects. */
  exit: Promise<ChildExit>;
  /** The end of what it said on its standard error. */
  stderr(): string;
  /** Asks it and all that it started to end, and ends them after a second's grace. */
  stop(): void;
}

const graceMs = 1000;
const keptOutput = 200_000;

/** Children that still run, so that the last breath of the engine can take them along. */
const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) killGroup(child, "SIGKILL");
});

/**
 * The one way to start a child, in a process group of its own, so that stopping it also stops what it started (torchrun's
 * workers, for one). Never a shell: arguments are passed as they are.
 */
export function startChild(command: string, args: string[], options: StartOptions): Child {
  const { cwd, env, stdin = "ignore", channel = false, signal } = options;
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: [stdin, channel ? "ignore" : "pipe", "pipe", ...(channel ? ["ipc" as const] : [])],
    shell: false,
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.stdin?.on("error", () => {}); // A dead child is told by its exit.
  const stderr = tail();
  const decoder = new StringDecoder("utf8");
  child.stderr?.on("data", (chunk: Buffer) => {
    const text = decoder.write(chunk);
    stderr.add(text);
    options.onStderr?.(text);
  });
  const stop = () => stopGroup(child);
  const exit = new Promise<ChildExit>((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined) running.delete(child);
      resolve({ code: null, signal: null, error });
    });
    // Not "exit": what it said last may still be on its way.
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  signal?.addEventListener("abort", stop, { once: true });
  void exit.then(() => signal?.removeEventListener("abort", stop));
  return { process: child, exit, stderr: stderr.text, stop };
}

export interface RunResult extends ChildExit {
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Of what it says the end is kept. Throws LeafError `cancelled` where it was aborted. */
export async function runChild(
  command: string,
  args: string[],
  options: StartOptions & { kept?: number; onLine?(line: string): void },
): Promise<RunResult> {
  throwIfCancelled(options.signal);
  const child = startChild(command, args, options);
  const stdout = tail(options.kept);
  const output = child.process.stdout?.setEncoding("utf8").on("data", stdout.add);
  if (output && options.onLine) createInterface({ input: output }).on("line", options.onLine);
  const exit = await child.exit;
  if (options.signal?.aborted) throw new LeafError("cancelled", say`Cancelled.`);
  return { ...exit, stdout: stdout.text(), stderr: child.stderr() };
}

/** The end of a long text. */
function tail(most = keptOutput) {
  let text = "";
  return {
    add(more: string) {
      text += more;
      if (text.length > 2 * most) text = text.slice(-most);
    },
    text: () => text.slice(-most),
  };
}

function stopGroup(child: ChildProcess): void {
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
    if (process.platform === "win32")
      spawn("taskkill", ["/pid", String(leader), "/t", "/f"], { windowsHide: true }).on("error", () => {});
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
