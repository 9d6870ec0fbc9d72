import { writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../../protocol/jobs.ts";
import type { ServerState } from "../../../protocol/servers.ts";
import type { Text } from "../../../protocol/text.ts";
import { duration } from "../../../words/duration.ts";
import { inEnglish, quoted, say } from "../../../words/text.ts";
import { english } from "../../../words/translate.ts";
import { errorOf, LeafError, throwIfCancelled } from "../../base/errors.ts";
import { startDetached } from "../../base/ownProcess.ts";
import { couldBeSeen, isIdentity, stillRuns } from "../../base/processIdentity.ts";
import { isProcessLocked } from "../../base/processLock.ts";
import type { ServeConfig } from "../../config/teacher.ts";
import { enter, lockFile, logFile, readState, stopFile, supervisorLog } from "./files.ts";
import { requireVariables, type ServerSpec, serverSpec } from "./spec.ts";
import type { StopRequest } from "./usage.ts";

export interface AcquireOptions {
  /** Folder of all servers, `.leaf/servers`. */
  servers: string;
  /** Folder of the config: where the server runs. */
  root: string;
  signal?: AbortSignal;
  /** A sentence on what the server does while it starts. */
  onNote?: (message: Text) => void;
}

/** A server that this process may use until it releases it; another may use it too. */
export interface ManagedServer {
  /** Base URL of its API, with /v1. */
  endpoint: string;
  /** Path of its log. */
  log: string;
  /**
   * Resolves to the endpoint once the server takes requests: at once while it does, later while it starts again after a crash.
   * Rejects with the explained failure where it cannot. For a client whose requests find nobody.
   */
  ready(signal?: AbortSignal): Promise<string>;
  /** It stops when nobody has used it for `idleMinutes`. */
  release(): Promise<void>;
}

const lookEveryMs = 100;
const sayEveryMs = 15_000;
const mostSupervisors = 3;

/**
 * A running server for `serve`: one that is there already, whoever started it, or a new one, which takes up to `startMinutes`.
 * Rejects with LeafErrors `environment`, `input`, `config` or `failed` that say why it does not start, and `cancelled`; then it
 * is stopped if this call started it and nobody else waits for it.
 */
export async function acquireServer(serve: ServeConfig, options: AcquireOptions): Promise<ManagedServer> {
  throwIfCancelled(options.signal);
  const spec = serverSpec(serve, options.root);
  requireVariables(spec);
  const dir = path.join(options.servers, spec.key);
  const user = await enter(dir, spec);
  let started = false;
  const onStart = () => {
    started = true;
  };
  // The failure of an earlier start says nothing of this one; that of the server in use does.
  const earlier = (await readState(dir))?.attempt;
  const ready = (signal?: AbortSignal) =>
    untilReady(dir, spec, { onNote: options.onNote, signal, earlier, onStart });
  try {
    const endpoint = await ready(options.signal);
    return { endpoint, log: logFile(dir), ready, release: user.leave };
  } catch (error) {
    await user.leave();
    if (started && options.signal?.aborted) askToStop(dir, "unused");
    throw error;
  }
}

interface WaitOptions extends Pick<AcquireOptions, "signal" | "onNote"> {
  earlier: string | undefined;
  onStart(): void;
}

async function untilReady(
  dir: string,
  spec: ServerSpec,
  { signal, onNote, earlier, onStart }: WaitOptions,
): Promise<string> {
  let supervisors = 0;
  let isSpawning = false;
  const tell = teller(spec, onNote);
  for (;;) {
    throwIfCancelled(signal);
    const isLocked = isProcessLocked(lockFile(dir));
    const state = await readState(dir);
    // For a moment the last words of the supervisor before are still there.
    if (isLocked && state?.phase === "ready" && (await isSupervised(state))) return state.endpoint;
    if (state?.failure && state.attempt !== earlier) throw asError(state.failure);
    if (isLocked) {
      if (state) tell(state);
    } else if (!isSpawning) {
      if (supervisors === mostSupervisors) throw noSupervisor(dir);
      supervisors += 1;
      isSpawning = true;
      onStart();
      // Ended: it lost against another, its server is over, or it died. Look again, and start the next if need be.
      await startSupervisor(dir, spec, () => {
        isSpawning = false;
      });
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

async function isSupervised({ supervisorIdentity }: ServerState): Promise<boolean> {
  // Of a former version, or of another container: the lock is all there is.
  if (!isIdentity(supervisorIdentity) || !(await couldBeSeen(supervisorIdentity))) return true;
  return stillRuns(supervisorIdentity);
}

/** A process of its own that outlives this one. It is told on stdin what to start: arguments may hold keys. */
async function startSupervisor(dir: string, spec: ServerSpec, onEnd: () => void): Promise<void> {
  await mkdir(dir, { recursive: true });
  await rm(stopFile(dir), { force: true });
  const child = startDetached(["supervise", dir], {
    cwd: spec.cwd,
    log: { file: supervisorLog(dir), flags: "w" },
    input: JSON.stringify(spec),
  });
  child.once("exit", onEnd);
  child.once("error", onEnd);
}

/** Tells what a server does when that changes, and how long it has been waited for now and then. */
function teller(spec: ServerSpec, onNote: ((message: Text) => void) | undefined) {
  const begun = performance.now();
  let [told, toldAt] = ["", begun];
  return (state: ServerState) => {
    const doing =
      state.phase === "stopping"
        ? say`stopping the one before`
        : state.note === null || state.note === undefined
          ? say`starting`
          : quoted(state.note);
    const now = inEnglish(doing);
    if (now === told && performance.now() - toldAt < sayEveryMs) return;
    const waited = now === told;
    [told, toldAt] = [now, performance.now()];
    onNote?.(
      waited
        ? say`Teacher's server of ${spec.model}: ${doing} (${duration(english, (performance.now() - begun) / 1000)})`
        : say`Teacher's server of ${spec.model}: ${doing}`,
    );
  };
}

/** Leaves word for the supervisor; synchronous, so that it is there however soon this process ends. */
export function askToStop(dir: string, request: StopRequest): void {
  writeFileSync(stopFile(dir), `${request}\n`);
}

function asError(failure: Failure): LeafError {
  return errorOf({ ...failure, code: failure.code === "internal" ? "failed" : failure.code });
}

function noSupervisor(dir: string): LeafError {
  return new LeafError("failed", say`The process that looks after the teacher's server ends at once.`, {
    file: supervisorLog(dir),
    remedy: say`See its log: ${supervisorLog(dir)}`,
  });
}
