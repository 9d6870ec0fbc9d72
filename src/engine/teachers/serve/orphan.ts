import { setTimeout as sleep } from "node:timers/promises";
import type { ServerState } from "../../../protocol/servers.ts";
import { signalGroup } from "../../processes.ts";
import { markedProcesses, processIdentity } from "./identity.ts";

const graceMs = 3_000;

/**
 * Ends what a supervisor left that was killed itself: the process of the id and the beginning that it wrote down, with its group,
 * and whatever carries its mark. A process that merely got the same id is left alone. Returns whether there was anything.
 */
export async function endOrphan(state: ServerState): Promise<boolean> {
  const { pid, identity, attempt } = state;
  const isLeader = async () => pid !== null && identity !== null && (await processIdentity(pid)) === identity;
  const rest = () => markedProcesses(attempt);
  if (!(await isLeader()) && rest().length === 0) return false;
  if (await isLeader()) signalGroup(pid!, "SIGTERM");
  for (const one of rest()) signal(one, "SIGTERM");
  for (const end = Date.now() + graceMs; Date.now() < end; await sleep(50))
    if (!(await isLeader()) && rest().length === 0) return true;
  if (await isLeader()) signalGroup(pid!, "SIGKILL");
  for (const one of rest()) signal(one, "SIGKILL");
  return true;
}

/** Ends at once whatever still carries the mark of a server that has ended. */
export function endMarked(attempt: string): void {
  for (const pid of markedProcesses(attempt)) signal(pid, "SIGKILL");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
