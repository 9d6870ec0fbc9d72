import { setTimeout as sleep } from "node:timers/promises";
import type { ServerState } from "../../../protocol/servers.ts";
import { isIdentity, signalProcess, stillRuns } from "../../base/processIdentity.ts";
import { markedProcesses } from "./identity.ts";

const graceMs = 3_000;

/**
 * Ends what a supervisor left that was killed itself: the very process that it wrote down, with its group, and whatever carries
 * its mark. A process that merely got the same id is left alone, and one of another machine or container. Returns whether there
 * was anything.
 */
export async function endOrphan(state: ServerState): Promise<boolean> {
  const { attempt } = state;
  // A former version wrote it in another form: what carries the mark is all that can be told then.
  const leader = isIdentity(state.identity) ? state.identity : undefined;
  const isLeader = async () => leader !== undefined && (await stillRuns(leader));
  const rest = () => markedProcesses(attempt);
  if (!(await isLeader()) && rest().length === 0) return false;
  if (leader) await signalProcess(leader, "SIGTERM", "group");
  for (const one of rest()) signal(one, "SIGTERM");
  for (const end = performance.now() + graceMs; performance.now() < end; await sleep(50))
    if (!(await isLeader()) && rest().length === 0) return true;
  if (leader) await signalProcess(leader, "SIGKILL", "group");
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
