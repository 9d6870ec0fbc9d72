import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { serverState, serverUser } from "../../../protocol/schema/servers.ts";
import type { ServerState } from "../../../protocol/servers.ts";
import { tellDamagedFile } from "../../base/damage.ts";
import { readJsonAs } from "../../base/json.ts";
import { isMissing, isTemporaryName, writeJson } from "../../files.ts";
import { isAlive } from "../../processes.ts";
import type { ServerSpec } from "./spec.ts";

/**
 * A server's folder, `.leaf/servers/<key>/`: `server.json` is written by its supervisor alone, `users/` holds a heartbeat of
 * each run that uses it, `supervisor.lock` is held as long as its supervisor lives, `stop` asks that to end.
 */
export const lockFile = (dir: string) => path.join(dir, "supervisor.lock");
export const stopFile = (dir: string) => path.join(dir, "stop");
export const logFile = (dir: string) => path.join(dir, "server.log");
export const supervisorLog = (dir: string) => path.join(dir, "supervisor.log");
const stateFile = (dir: string) => path.join(dir, "server.json");
const usersDir = (dir: string) => path.join(dir, "users");

const heartbeatMs = 5_000;
/** A process may be too busy, or stopped, to say that it is there. */
const staleAfterMs = 60_000;

export async function readState(dir: string): Promise<ServerState | undefined> {
  const state = await readJsonAs<ServerState>(stateFile(dir), serverState);
  if (state === undefined || state.key === path.basename(dir)) return state;
  tellDamagedFile(stateFile(dir), `it is of the server ${state.key}`);
  return undefined;
}

/** When a state was last written, in milliseconds since 1970. */
export async function stateWritten(dir: string): Promise<number> {
  return (await stat(stateFile(dir))).mtimeMs;
}

export async function writeState(dir: string, state: ServerState): Promise<void> {
  await writeJson(stateFile(dir), state);
}

/** A run that uses a server. */
export interface ServerUser {
  pid: number;
  /** Milliseconds since 1970 of its last heartbeat. */
  at: number;
  startMinutes: number;
  idleMinutes: number;
}

/** Says that this process uses the server, again and again until `leave`. */
export async function enter(
  dir: string,
  spec: ServerSpec,
): Promise<{ file: string; leave(): Promise<void> }> {
  const file = path.join(usersDir(dir), `${process.pid}-${randomBytes(4).toString("hex")}.json`);
  const { startMinutes, idleMinutes } = spec;
  let last = Promise.resolve();
  const beat = () => {
    const user: ServerUser = { pid: process.pid, at: Date.now(), startMinutes, idleMinutes };
    last = last.then(() => writeJson(file, user));
    return last;
  };
  await beat();
  // A full disk must not end a run; the next beat may succeed.
  const timer = setInterval(() => void beat().catch(() => (last = Promise.resolve())), heartbeatMs);
  timer.unref();
  const removeNow = () => rmSync(file, { force: true });
  process.once("exit", removeNow);
  return {
    file,
    async leave() {
      clearInterval(timer);
      process.off("exit", removeNow);
      await last.catch(() => {});
      await rm(file, { force: true });
    },
  };
}

/** Who uses the server now, by file. Files of processes that ended without a word are removed. */
export async function usersOf(dir: string): Promise<Map<string, ServerUser>> {
  const users = new Map<string, ServerUser>();
  for (const name of await namesIn(usersDir(dir))) {
    const file = path.join(usersDir(dir), name);
    if (isTemporaryName(file)) continue;
    const user = await readJsonAs<ServerUser>(file, serverUser);
    if (user && isAlive(user.pid) && Date.now() - user.at < staleAfterMs) users.set(file, user);
    else await rm(file, { force: true });
  }
  return users;
}

export async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
