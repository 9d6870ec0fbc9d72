import { readFileSync, readlinkSync } from "node:fs";
import os from "node:os";
import type { ProcessIdentity } from "../../protocol/processes.ts";
import { childEnvironment } from "./environment.ts";
import { runChild } from "./processes.ts";

/** What a program of the system says: times in one wording, whatever the language and the time zone of who asks. */
async function told(program: string, args: string[]): Promise<string> {
  const env = childEnvironment({ LC_ALL: "C", TZ: "UTC" });
  const { code, stdout } = await runChild(program, args, { env, signal: AbortSignal.timeout(10_000) });
  if (code !== 0) throw new Error(`${program} failed`);
  return stdout.trim();
}

/** Who runs under a process id now; undefined where nobody does, or where the system does not tell. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const began = await beginningOf(pid);
    return began === undefined ? undefined : { pid, began, space: await ownSpace(), host: os.hostname() };
  } catch {
    return undefined;
  }
}

let own: Promise<ProcessIdentity | undefined> | undefined;

/** Who this process is. */
export function ownIdentity(): Promise<ProcessIdentity | undefined> {
  own ??= identityOf(process.pid);
  return own;
}

/** Whether a process of this identity could be seen from here: not on another machine, in another container, before a restart. */
export async function couldBeSeen(identity: ProcessIdentity): Promise<boolean> {
  return (await ownIdentity())?.space === identity.space;
}

/** Whether this very process still runs. False as well for one that cannot be seen from here: another machine, a container. */
export async function stillRuns(identity: ProcessIdentity): Promise<boolean> {
  const now = await identityOf(identity.pid);
  return now !== undefined && isSame(now, identity);
}

/**
 * Signals this very process, or as the leader of a group also that group; never another that got its id. False where it is not
 * there, or not to be seen from here.
 */
export async function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  whom: "process" | "group",
): Promise<boolean> {
  // Nothing is waited for between the look and the signal where the system lets us.
  if (!(await stillRuns(identity))) return false;
  const { pid } = identity;
  if (pid === process.pid) return false;
  try {
    if (process.platform === "win32") await told("taskkill", ["/pid", String(pid), "/t", "/f"]);
    else process.kill(whom === "group" ? -pid : pid, signal);
    return true;
  } catch {
    return false; // It ended this moment, or belongs to another user.
  }
}

export function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.began === b.began && a.space === b.space;
}

/** Whether something that was read from a file is an identity. What former versions wrote, a mere id, is none. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (value === null || typeof value !== "object") return false;
  const { pid, began, space, host } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(pid) &&
    Number(pid) > 0 &&
    [began, space, host].every((part) => typeof part === "string" && part !== "")
  );
}

/** When a process began; undefined where there is none. Throws where it cannot be asked. */
async function beginningOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return beginningInStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  const began =
    process.platform === "win32"
      ? await told("powershell", [
          "-NoProfile",
          "-Command",
          `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`,
        ])
      : await told("ps", ["-o", "lstart=", "-p", String(pid)]);
  return began.replace(/\s+/g, " ") || undefined;
}

/**
 * The beginning of a process by its line in /proc/<pid>/stat, in ticks since the boot. The second field is a name in parentheses
 * that may hold anything, parentheses too. Undefined for a zombie, which holds nothing any more.
 */
export function beginningInStat(stat: string): string | undefined {
  const fields = stat
    .slice(stat.lastIndexOf(")") + 1)
    .trim()
    .split(/\s+/);
  const [state, began] = [fields[0], fields[19]];
  if (state === undefined || state === "Z" || state === "X") return undefined;
  return began !== undefined && /^\d+$/.test(began) ? began : undefined;
}

let space: Promise<string> | undefined;

function ownSpace(): Promise<string> {
  space ??= readSpace();
  return space;
}

async function readSpace(): Promise<string> {
  switch (process.platform) {
    case "linux":
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
    case "darwin":
      return (await told("sysctl", ["-n", "kern.bootsessionuuid"])) || os.hostname();
    default:
      // Beginnings are told to the ten-millionth of a second there.
      return os.hostname();
  }
}
