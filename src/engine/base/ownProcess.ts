import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { appRoot } from "./appRoot.ts";
import { childEnvironment } from "./environment.ts";

/** How LEAF's own command line is started. Inside VS Code the program is Electron. */
export function ownCommand(args: string[], env: NodeJS.ProcessEnv = {}) {
  return {
    command: process.execPath,
    args: [path.join(appRoot(), "dist", "cli.js"), ...args],
    env: childEnvironment({ ...env, ELECTRON_RUN_AS_NODE: "1" }),
  };
}

export interface DetachedOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Where what it says goes. */
  log: { file: string; flags: "a" | "w" };
  /** What it is told, where arguments would show it to everybody on the machine. */
  input?: string;
}

/** Starts LEAF's command line as a process that outlives this one, in a group of its own. */
export function startDetached(command: string[], { cwd, env, log, input }: DetachedOptions): ChildProcess {
  const own = ownCommand(command, env);
  const opened = openSync(log.file, log.flags);
  try {
    const child = spawn(own.command, own.args, {
      cwd,
      env: own.env,
      detached: true,
      stdio: [input === undefined ? "ignore" : "pipe", opened, opened],
      windowsHide: true,
    });
    child.stdin?.on("error", () => {}); // It ended before it read: told by `exit`.
    child.stdin?.end(input);
    child.unref();
    return child;
  } finally {
    closeSync(opened);
  }
}
