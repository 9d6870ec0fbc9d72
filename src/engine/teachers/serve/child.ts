import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { childEnvironment } from "../../base/environment.ts";
import { groupExists, signalGroup, startChild } from "../../base/processes.ts";
import { withoutTeacherKeys } from "../../base/teacherKeys.ts";
import { markedProcesses, markName } from "./identity.ts";
import { openServerLog, type ServerLog, secretsOf } from "./log.ts";
import { filledCommand, filledVariables, placeholderValues, type ServerSpec } from "./spec.ts";

export interface ServerExit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** There is no such program, or it may not be run. */
  missing: boolean;
}

export interface ServerChild {
  pid: number | null;
  log: ServerLog;
  /** Set once it has ended and all that it said has been read. */
  exit: ServerExit | undefined;
  /**
   * Asks its whole group to end, and ends what is left after the grace. Its workers get that time too: killed, they would leave
   * their shared memory behind.
   */
  stop(graceMs: number): Promise<void>;
}

/** Starts the server itself, in a group of its own. What it says goes to `logFile`. */
export function startServer(
  spec: ServerSpec,
  options: { port: number; mark: string; logFile: string; onLine(line: string): void },
): ServerChild {
  const added = filledVariables(spec);
  const inherited = childEnvironment({
    ELECTRON_RUN_AS_NODE: undefined,
    PYTHONUNBUFFERED: "1",
    ...added,
    [markName]: options.mark,
  });
  const env = withoutTeacherKeys(inherited);
  const [program, ...args] = filledCommand(spec, options.port);
  const log = openServerLog(options.logFile, {
    secrets: [...placeholderValues(spec), ...secretsOf(inherited, [program, ...args])],
    onLine: options.onLine,
  });
  const { process: child } = startChild(program, args, { cwd: spec.cwd, env });
  child.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
  child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
  const server: ServerChild = {
    pid: child.pid ?? null,
    log,
    exit: undefined,
    async stop(graceMs) {
      if (child.pid === undefined) return;
      const { pid } = child;
      // Its id is not given again while it is there, or a worker in its group: an empty group is nobody's, and soon another's.
      let isEmpty = !signalGroup(pid, "SIGTERM");
      const isGone = () => {
        isEmpty ||= !groupExists(pid);
        return server.exit !== undefined && markedProcesses(options.mark).length === 0;
      };
      for (const end = performance.now() + graceMs; performance.now() < end && !isGone(); ) await sleep(50);
      if (!isEmpty) signalGroup(pid, "SIGKILL");
      hurry();
      await ended;
    },
  };
  const { exit, hurry } = endOf(child);
  const ended = exit.then((how) => {
    log.close();
    server.exit = how;
  });
  return server;
}

/** `hurry`: its last words are of no interest any more. */
function endOf(child: ChildProcess): { exit: Promise<ServerExit>; hurry(): void } {
  let isHurried = false;
  let finish: (() => void) | undefined;
  const exit = new Promise<ServerExit>((resolve) => {
    child.once("error", () => resolve({ exitCode: null, signal: null, missing: true }));
    child.once("exit", (exitCode, signal) => {
      finish = () => resolve({ exitCode, signal, missing: false });
      child.once("close", finish);
      // A worker that outlives its leader keeps the pipes open; on a busy machine the last words take a while.
      setTimeout(finish, isHurried ? 0 : 5_000).unref();
    });
  });
  return {
    exit,
    hurry() {
      isHurried = true;
      finish?.();
    },
  };
}
