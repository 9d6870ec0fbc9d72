import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../../protocol/jobs.ts";
import type { ProcessIdentity } from "../../../protocol/processes.ts";
import type { ServerState } from "../../../protocol/servers.ts";
import { messageOf } from "../../base/errors.ts";
import { identityOf, ownIdentity } from "../../base/processIdentity.ts";
import { waitForLock } from "../../base/processLock.ts";
import { type ServerChild, startServer } from "./child.ts";
import * as explain from "./failures.ts";
import { lockFile, logFile, readState, stopFile, writeState } from "./files.ts";
import { noteOf } from "./note.ts";
import { endMarked, endOrphan } from "./orphan.ts";
import { endpointOf, freePort, isHealthy, isPortTaken } from "./port.ts";
import { programName, type ServerSpec } from "./spec.ts";
import { stopRequest, usageClock } from "./usage.ts";

const lookEveryMs = 200;
const mostRestarts = 3;
/** vLLM takes some seconds to free what its processes share. */
const graceMs = 10_000;
const lockPatienceMs = 2_000;
const crashGraceMs = 3_000;
/** A process that is told to end by a signal has little more than a second. */
const hurriedGraceMs = 800;
/** A server that ran this long before it ended by itself is not in a loop of crashes. */
const steadyMs = 10 * 60_000;

/**
 * The body of the supervisor's own process, which outlives the run that started it: starts the server, tells how it is in
 * `server.json`, starts it again when it ends by itself after it was ready, and stops it when nobody has used it for long
 * enough, on request or on `signal`. Returns at once where another supervisor looks after it. What goes wrong with the server
 * is its last state.
 */
export async function supervise(dir: string, spec: ServerSpec, signal: AbortSignal): Promise<void> {
  const before = await readState(dir);
  // Someone who looks whether it is held, or clears up, may be in the way for a moment.
  const lock = await waitForLock(lockFile(dir), { waitMs: lockPatienceMs });
  if (!lock) return;
  if (await wasLookedAfter(dir, before)) {
    lock.release();
    return;
  }
  const state = firstState(spec, (await ownIdentity()) ?? null);
  try {
    const previous = await readState(dir);
    if (previous) await endOrphan(previous);
    const failure = await watch(dir, spec, state, signal);
    Object.assign(state, failure ? { phase: "failed", failure } : { phase: "stopped" });
  } catch (error) {
    const message = `The teacher's server cannot be looked after: ${messageOf(error)}`;
    Object.assign(state, { phase: "failed", failure: { code: "internal", message } satisfies Failure });
  } finally {
    endMarked(state.attempt);
    Object.assign(state, { pid: null, identity: null, note: null });
    await writeState(dir, state).catch(() => {});
    await rm(stopFile(dir), { force: true }).catch(() => {});
    lock.release();
  }
}

/** Another had the server and ended while this one waited for its turn: whoever still wants a server starts one. */
async function wasLookedAfter(dir: string, before: ServerState | undefined): Promise<boolean> {
  const now = await readState(dir);
  const isOver = now?.phase === "stopped" || now?.phase === "failed";
  return isOver && (now.attempt !== before?.attempt || now.phase !== before.phase);
}

function firstState(spec: ServerSpec, supervisorIdentity: ProcessIdentity | null): ServerState {
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
    supervisorIdentity,
    started: new Date().toISOString(),
    ready: null,
    idleSince: null,
    idleMinutes: spec.idleMinutes,
    restarts: 0,
    note: null,
    failure: null,
  };
}

/** From the first start to the last stop. Resolves to the failure that ended it, undefined where it was stopped. */
async function watch(
  dir: string,
  spec: ServerSpec,
  state: ServerState,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const usage = usageClock(dir, spec);
  let server: ServerChild | undefined;
  let startedAt = 0;
  let isTold = false;

  const change = (part: Partial<ServerState>) => {
    const before = JSON.stringify(state);
    Object.assign(state, part);
    if (JSON.stringify(state) !== before) isTold = false;
  };
  const tell = async () => {
    if (!isTold) await writeState(dir, state);
    isTold = true;
  };
  const end = (): explain.ServerEnd => ({
    model: spec.model,
    port: state.port,
    log: logFile(dir),
    lines: server?.log.lines() ?? [],
    exitCode: server?.exit?.exitCode ?? null,
    signal: server?.exit?.signal ?? null,
  });

  async function start(): Promise<Failure | undefined> {
    server = undefined;
    // The one it had, so that those who use it find it again.
    const isFree = state.port !== 0 && !(await isPortTaken(state.port));
    const port = spec.port ?? (isFree ? state.port : await freePort());
    change({ port, endpoint: endpointOf(port) });
    if (await isPortTaken(port)) return explain.portTaken(end());
    const onLine = (line: string) => {
      const note = state.phase === "ready" ? undefined : noteOf(line);
      if (note !== undefined) change({ note });
    };
    server = startServer(spec, { port, mark: state.attempt, logFile: logFile(dir), onLine });
    startedAt = performance.now();
    const pid = server.pid;
    change({ pid, identity: pid === null ? null : ((await identityOf(pid)) ?? null) });
    return undefined;
  }

  /** It ended by itself: it is started again, or that is the end. */
  async function afterEnd(isMissing: boolean): Promise<Failure | undefined> {
    if (isMissing) return explain.missingProgram(spec.command[0]!);
    // Its workers may still be there.
    await server?.stop(crashGraceMs);
    const wasReady = state.phase === "ready";
    // Another program may have taken the port since it was found to be free.
    const isUnlucky = spec.port === null && explain.recognise(end().lines)?.kind === "portTaken";
    if (!wasReady && !isUnlucky) return explain.endedBeforeReady(end());
    const restarts = wasReady && performance.now() - startedAt > steadyMs ? 0 : state.restarts;
    if (restarts >= mostRestarts) return explain.endedAgainAndAgain(end(), restarts + 1);
    const phase = wasReady ? "restarting" : state.phase;
    change({ phase, restarts: restarts + 1, ready: null, note: "starting again" });
    return start();
  }

  /** One look: a failure, "stop", or undefined where it goes on. */
  async function look(): Promise<Failure | "stop" | undefined> {
    change(await usage.look());
    const request = await stopRequest(dir);
    // Those who still use it are to be told, and not to start it again.
    if (request === "now") change({ failure: explain.stopped });
    if (signal.aborted || usage.isOver() || request) return "stop";
    if (server!.exit) return afterEnd(server!.exit.missing);
    if (state.phase === "ready") return undefined;
    // Asked after the answer: another program may have taken the port of a server that has just ended.
    if ((await isHealthy(state.port)) && !server!.exit)
      change({ phase: "ready", ready: new Date().toISOString(), note: null });
    else if (performance.now() - startedAt > usage.startMinutes() * 60_000)
      return explain.notReadyInTime(end(), usage.startMinutes(), state.note);
    return undefined;
  }

  try {
    let outcome: Failure | "stop" | undefined = await start();
    while (outcome === undefined) {
      await tell();
      await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
      outcome = await look();
    }
    if (outcome !== "stop") return outcome;
    change({ phase: "stopping" });
    await tell().catch(() => {});
    return undefined;
  } finally {
    await server?.stop(signal.aborted ? hurriedGraceMs : graceMs);
  }
}
