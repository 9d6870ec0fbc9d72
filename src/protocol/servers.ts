import type { Failure } from "./jobs.ts";
import type { ProcessIdentity } from "./processes.ts";

/** `restarting`: it had been ready and ended by itself. `stopped` and `failed` are final. */
export type ServerPhase = "starting" | "ready" | "restarting" | "stopping" | "stopped" | "failed";

/** A managed teacher server, as its supervisor tells it: `.leaf/servers/<key>/server.json`. Holds no arguments and no environment. */
export interface ServerState {
  v: 1;
  key: string;
  /** A new one with each supervisor. */
  attempt: string;
  phase: ServerPhase;
  model: string;
  /** Name of the program, without its folder. */
  program: string;
  /** Base URL of its API. */
  endpoint: string;
  port: number;
  /** The server's process, which leads a process group; null where none runs. */
  pid: number | null;
  /** Who that process is: ids are given again. */
  identity: ProcessIdentity | null;
  /** Process that looks after it, and who that is. */
  supervisor: number;
  supervisorIdentity: ProcessIdentity | null;
  started: string;
  ready: string | null;
  /** When the last user left; null while there is one. */
  idleSince: string | null;
  idleMinutes: number;
  restarts: number;
  /** What it does just now. */
  note: string | null;
  failure: Failure | null;
}

export interface ServerListing extends ServerState {
  /** Process ids of the runs that use it. */
  users: number[];
  /** Its log. */
  log: string;
}

/** `leaf servers --json`. */
export interface ServersResult {
  servers: ServerListing[];
}

/** `leaf servers stop --json`. */
export interface StopServersResult {
  /** Keys of the servers that ran. */
  stopped: string[];
}
