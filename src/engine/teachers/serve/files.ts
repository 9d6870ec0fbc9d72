import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { serverState, serverUser } from "../../../protocol/schema/servers.ts";
import type { ServerState } from "../../../protocol/servers.ts";
import { tellDamagedFile } from "../../base/damage.ts";
import { isMissing, isTemporaryName, writeJson } from "../../base/files.ts";
import { readJsonAs } from "../../base/json.ts";
import { isProcessLocked, waitForLock } from "../../base/processLock.ts";
import { redactValue } from "../../base/redact.ts";
import type { ServerSpec } from "./spec.ts";

/**
 * A server's folder, `.leaf/servers/<key>/`: `server.json` is written by its supervisor alone, `users/` holds a file of
 * each run that uses it and `locks/` its lock, `supervisor.lock` is held as long as its supervisor lives, `stop` asks that to end.
 */
export const lockFile = (dir: string) => path.join(dir, "supervisor.lock");
export const stopFile = (dir: string) => path.join(dir, "stop");
export const logFile = (dir: string) => path.join(dir, "server.log");
export const supervisorLog = (dir: string) => path.join(dir, "supervisor.log");
const stateFile = (dir: string) => path.join(dir, "server.json");
const usersDir = (dir: string) => path.join(dir, "users");

export async function readState(dir: string): Promise<ServerState | undefined> {
  const state = await readJsonAs<ServerState>(stateFile(dir), serverState);
  if (state === undefined || state.key === path.basename(dir)) return state;
  tellDamagedFile(stateFile(dir), `it is of the server ${state.key}`);
  return undefined;
}

export async function writeState(dir: string, state: ServerState): Promise<void> {
  await writeJson(stateFile(dir), redactValue(state));
}

/** A run that uses a server; its lock is held as long as its process lives and uses it. */
export interface ServerUser {
  pid: number;
  startMinutes: number;
  idleMinutes: number;
}

const lockOf = (dir: string, userFile: string) =>
  path.join(dir, "locks", `${path.basename(userFile, ".json")}.lock`);

/** Says that this process uses the server, until `leave` or its end, however it ends. */
export async function enter(
  dir: string,
  spec: ServerSpec,
): Promise<{ file: string; leave(): Promise<void> }> {
  const file = path.join(usersDir(dir), `${process.pid}-${randomBytes(4).toString("hex")}.json`);
  const lock = await waitForLock(lockOf(dir, file));
  const { startMinutes, idleMinutes } = spec;
  const user: ServerUser = { pid: process.pid, startMinutes, idleMinutes };
  await writeJson(file, user);
  const removeNow = () => {
    rmSync(file, { force: true });
    lock?.release();
    rmSync(lockOf(dir, file), { force: true });
  };
  process.once("exit", removeNow);
  return {
    file,
    async leave() {
      process.off("exit", removeNow);
      removeNow();
    },
  };
}

/** Who uses the server now, by file. Files of processes that ended without a word are removed. */
export async function usersOf(dir: string): Promise<Map<string, ServerUser>> {
  const users = new Map<string, ServerUser>();
  for (const name of await namesIn(usersDir(dir))) {
    const file = path.join(usersDir(dir), name);
    if (isTemporaryName(file)) continue;
    const user = isProcessLocked(lockOf(dir, file))
      ? await readJsonAs<ServerUser>(file, serverUser)
      : undefined;
    if (user) users.set(file, user);
    else for (const one of [file, lockOf(dir, file)]) await rm(one, { force: true });
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
