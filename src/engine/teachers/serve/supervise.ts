import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../../protocol/jobs.ts";
import type { ServerState } from "../../../protocol/servers.ts";
import { type ProcessLock, tryProcessLock } from "../../processLock.ts";
import { type ServerChild, startServer } from "./child.ts";
import { explainCrashes, explainEnd, explainMissingProgram, explainNotReady } from "./failures.ts";
import { lockFile, logFile, readState, stopFile, usersOf, writeState } from "./files.ts";
import { processIdentity } from "./identity.ts";
import { noteOf } from "./note.ts";
import { endMarked, endOrphan } from "./orphan.ts";
import { endpointOf, freePort, isHealthy, isPortTaken } from "./port.ts";
import { programName, type ServerSpec } from "./spec.ts";

const lookEveryMs = 200;
/** A server that ran this long before it ended by itself is not in a loop of crashes. */
const steadyMs = 10 * 60_000;
const mostRestarts = 3;

/** Asks a supervisor to end: `now`, or only `unused`, where the run that started it was cancelled. */
export type StopRequest = "now" | "unused";

/**
 * The body of the supervisor's own process, which outlives the run that started it: starts the server, tells how it is in
 * `server.json`, starts it again when it ends by itself, and stops it when nobody has used it for long enough, on request or on
 * `signal`. Returns at once where another supervisor looks after it already. A server's own failures are its last state.
 */
export async function supervise(dir: string, spec: ServerSpec, signal: AbortSignal): Promise<void> {
  const lock = await takeLock(lockFile(dir));
  if (!lock) return;
  const state = firstState(spec);
  try {
    const previous = await readState(dir);
    if (previous) await endOrphan(previous);
    await watch(dir, spec, state, signal);
  } catch (error) {
    state.phase = "failed";
    state.failure = internal(error);
  } finally {
    endMarked(state.attempt);
    Object.assign(state, { pid: null, identity: null, note: null });
    await writeState(dir, state).catch(() => {});
    await rm(stopFile(dir), { force: true }).catch(() => {});
    lock.release();
  }
}

/** Someone who looks whether it is held may be in the way for a moment. */
async function takeLock(file: string): Promise<ProcessLock | undefined> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const lock = tryProcessLock(file);
    if (lock) return lock;
    await sleep(20);
  }
  return undefined;
}

function firstState(spec: ServerSpec): ServerState {
  return {
    v: 1,
    key: spec.key,
    attempt: randomBytes(8).toString("hex"),
    phase: "starting",
    model: spec.model,
    program: programName(spec),
    endpoint: "",
    port: 0,
    pid: null,
    identity: null,
    supervisor: process.pid,
    started: new Date().toISOString(),
    ready: null,
    idleSince: null,
    idleMinutes: spec.idleMinutes,
    restarts: 0,
    note: null,
    failure: null,
  };
}

/** From the first start to the last stop; `state` ends in a final phase. */
async function watch(dir: string, spec: ServerSpec, state: ServerState, signal: AbortSignal): Promise<void> {
  const usage = usageClock(dir, spec);
  let changed = true;
  const change = (part: Partial<ServerState>) => {
    Object.assign(state, part);
    changed = true;
  };
  let server: ServerChild | undefined;
  let since = performance.now();

  async function start(): Promise<Failure | undefined> {
    const port =
      spec.port ?? (state.port && !(await isPortTaken(state.port)) ? state.port : await freePort());
    change({ port, endpoint: endpointOf(port) });
    const end = { model: spec.model, program: state.program, port, log: logFile(dir) };
    if (await isPortTaken(port))
      return explainEnd({ ...end, lines: ["address already in use"], exitCode: null, signal: null });
    server = startServer(spec, {
      port,
      mark: state.attempt,
      logFile: end.log,
      onLine: (line) => {
        const note = state.phase === "ready" ? undefined : noteOf(line);
        if (note !== undefined && note !== state.note) change({ note });
      },
    });
    since = performance.now();
    const pid = server.pid;
    change({ pid, identity: pid === null ? null : ((await processIdentity(pid)) ?? null) });
    return undefined;
  }

  /** The failure that ends it all, or undefined where it goes on. */
  async function onEnd(ended: ServerChild): Promise<Failure | undefined> {
    const exit = ended.exit!;
    const end = {
      ...{ model: spec.model, program: state.program, port: state.port, log: logFile(dir) },
      ...{ lines: ended.log.lines(), exitCode: exit.exitCode, signal: exit.signal },
    };
    if (exit.missing) return explainMissingProgram(spec.command[0]!, end.log);
    endMarked(state.attempt);
    if (state.phase !== "ready") {
      const failure = explainEnd(end);
      // A port that was free when it was chosen: another may be still.
      if (spec.port !== null || !/in use by another/.test(failure.message) || state.restarts >= mostRestarts)
        return failure;
    } else if (performance.now() - since > steadyMs) change({ restarts: 0 });
    if (state.restarts >= mostRestarts) return explainCrashes(end, state.restarts + 1);
    const phase = state.phase === "ready" ? "restarting" : state.phase;
    change({ phase, restarts: state.restarts + 1, ready: null, note: "started again" });
    return start();
  }

  try {
    let failure = await start();
    while (!failure) {
      const usedOrNot = await usage.look();
      if (usedOrNot.idleSince !== state.idleSince || usedOrNot.idleMinutes !== state.idleMinutes)
        change(usedOrNot);
      if (signal.aborted || usage.isOver() || (await isAskedToStop(dir))) break;
      if (server!.exit) failure = await onEnd(server!);
      else if (state.phase !== "ready") {
        if (await isHealthy(state.port)) {
          // Only a server that lives: another program may have taken the port of one that has just ended.
          if (!server!.exit) change({ phase: "ready", ready: new Date().toISOString(), note: null });
        } else if (performance.now() - since > usage.startMinutes() * 60_000) {
          const { lines } = server!.log;
          const end = { model: spec.model, program: state.program, port: state.port, log: logFile(dir) };
          failure = explainNotReady(
            { ...end, lines: lines(), exitCode: null, signal: null },
            usage.startMinutes(),
            state.note,
          );
        }
      }
      if (changed && !failure) {
        changed = false;
        await writeState(dir, state);
      }
      if (!failure) await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    }
    if (failure) Object.assign(state, { phase: "failed", failure });
    else {
      state.phase = "stopping";
      await writeState(dir, state).catch(() => {});
    }
  } finally {
    await server?.stop();
  }
  if (state.phase === "stopping") state.phase = "stopped";
}

/** How long nobody has used it, by a clock that does not run while the machine sleeps. */
function usageClock(dir: string, spec: ServerSpec) {
  let { startMinutes, idleMinutes } = spec;
  let lastUsed = performance.now();
  let idleSince: string | null = null;
  return {
    async look(): Promise<{ idleSince: string | null; idleMinutes: number }> {
      const users = [...(await usersOf(dir)).values()];
      if (users.length > 0) {
        lastUsed = performance.now();
        idleSince = null;
        startMinutes = Math.max(...users.map((user) => user.startMinutes));
        idleMinutes = Math.max(...users.map((user) => user.idleMinutes));
      } else idleSince ??= new Date().toISOString();
      return { idleSince, idleMinutes };
    },
    startMinutes: () => startMinutes,
    isOver: () => performance.now() - lastUsed >= Math.max(idleMinutes * 60_000, 1_000),
  };
}

async function isAskedToStop(dir: string): Promise<boolean> {
  if (!existsSync(stopFile(dir))) return false;
  const request = (await readFile(stopFile(dir), "utf8").catch(() => "")).trim() as StopRequest;
  if (request !== "unused" || (await usersOf(dir)).size === 0) return true;
  await rm(stopFile(dir), { force: true });
  return false;
}

function internal(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message: `The teacher's server cannot be looked after: ${message}` };
}
