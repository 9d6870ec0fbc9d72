import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerListing, ServerState, StopServersResult } from "../../../protocol/servers.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { inside, isId } from "../../base/ids.ts";
import { isIdentity, signalProcess } from "../../base/processIdentity.ts";
import { isProcessLocked, tryProcessLock } from "../../base/processLock.ts";
import { askToStop } from "./acquire.ts";
import { lockFile, logFile, namesIn, readState, usersOf, writeState } from "./files.ts";
import { endOrphan } from "./orphan.ts";

const defaultPatienceMs = 20_000;

/** All servers of a project, those that run first. One whose supervisor was killed is ended, and told as stopped. */
export async function listServers(servers: string): Promise<ServerListing[]> {
  const listings: ServerListing[] = [];
  for (const key of await namesIn(servers)) {
    if (!isId("key", key)) continue;
    const dir = inside(path.dirname(servers), path.basename(servers), key);
    await clearUp(dir);
    const state = await readState(dir);
    if (!state) continue;
    const users = [...(await usersOf(dir)).values()].map((user) => user.pid);
    listings.push({ ...state, users, log: logFile(dir) });
  }
  const rank = (one: ServerListing) => (isRunning(one) ? 0 : 1);
  return listings.sort((a, b) => rank(a) - rank(b) || b.started.localeCompare(a.started));
}

/** Ends what a killed supervisor left, unless a new one is at it. */
async function clearUp(dir: string): Promise<void> {
  if (!existsSync(lockFile(dir))) return;
  const lock = tryProcessLock(lockFile(dir));
  if (!lock) return;
  try {
    const state = await readState(dir);
    if (!state || !isRunning(state)) return;
    await endOrphan(state);
    await writeState(dir, { ...state, phase: "stopped", pid: null, identity: null, note: null });
  } finally {
    lock.release();
  }
}

export function isRunning({ phase }: Pick<ServerListing, "phase">): boolean {
  return phase !== "stopped" && phase !== "failed";
}

/**
 * Stops one server by its key or model, or `all`; undefined: the only one. Resolves once nothing of it runs any more. Runs that use
 * it fail. Throws LeafError `usage` where the name fits none or several.
 */
export async function stopServers(
  servers: string,
  which?: string,
  patienceMs = defaultPatienceMs,
): Promise<StopServersResult> {
  const running = (await listServers(servers)).filter(isRunning);
  const chosen = which === "all" ? running : choose(running, which);
  for (const one of chosen) askToStop(path.join(servers, one.key), "now");
  for (const one of chosen) await untilStopped(path.join(servers, one.key), patienceMs);
  return { stopped: chosen.map((one) => one.key) };
}

function choose(running: ServerListing[], which: string | undefined): ServerListing[] {
  if (which === undefined) {
    if (running.length <= 1) return running;
    throw new LeafError("usage", say`${running.length} servers run.`, {
      remedy: say`Name one by its key or model (see \`leaf servers\`), or stop \`all\`.`,
    });
  }
  const fitting = running.filter((one) => one.key.startsWith(which) || one.model === which);
  if (fitting.length > 0) return fitting;
  throw new LeafError("usage", say`No server ${which} runs.`, { remedy: say`See \`leaf servers\`.` });
}

async function untilStopped(dir: string, patienceMs: number): Promise<void> {
  for (const end = performance.now() + patienceMs; performance.now() < end; await sleep(50))
    if (!isProcessLocked(lockFile(dir))) return;
  // A supervisor that does not answer: it goes the hard way, and so does its server.
  const state = await readState(dir);
  if (!state) return;
  if (isIdentity(state.supervisorIdentity)) await signalProcess(state.supervisorIdentity, "SIGKILL", "group");
  await sleep(100);
  await endOrphan(state);
  if (isProcessLocked(lockFile(dir))) throw doesNotStop(state);
}

/** Somebody holds its lock whom the state does not name, or who is not to be seen from here. */
function doesNotStop({ model, supervisor, supervisorIdentity }: ServerState): LeafError {
  return new LeafError("failed", say`The server of ${model} does not stop, and cannot be ended from here.`, {
    remedy: isIdentity(supervisorIdentity)
      ? say`End it by hand: its process was ${supervisor} on ${supervisorIdentity.host}.`
      : say`End it by hand: its process was ${supervisor}.`,
  });
}
