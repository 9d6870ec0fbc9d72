import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { isAlive } from "../../processes.ts";

const run = promisify(execFile);

/** In the environment of a server and of what it starts, so that they are known again; the value is the attempt's. */
export const markName = "LEAF_SERVER";

/**
 * When a process began, in words of its system: with the id it names one process for good. Undefined where there is none, or
 * where it cannot be asked.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined;
  try {
    if (process.platform === "linux") {
      const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const fields = afterName(stat);
      // A zombie holds nothing any more.
      return fields[0] === "Z" ? undefined : `${boot} ${fields[19]}`;
    }
    const { stdout } =
      process.platform === "win32"
        ? await run("powershell", ["-NoProfile", "-Command", `(Get-Process -Id ${pid}).StartTime.Ticks`])
        : await run("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Fields of /proc/<pid>/stat from the third on; the second is a name in parentheses that may hold anything. */
function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Living processes that carry a mark, also those that left the server's group. Linux only; elsewhere none. */
export function markedProcesses(mark: string): number[] {
  if (process.platform !== "linux") return [];
  const wanted = `${markName}=${mark}`;
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const environment = readFileSync(`/proc/${name}/environ`, "utf8");
      return environment.split("\0").includes(wanted) ? [pid] : [];
    } catch {
      return []; // Another user's, or gone meanwhile.
    }
  });
}
