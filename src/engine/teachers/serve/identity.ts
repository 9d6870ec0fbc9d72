import { readdirSync, readFileSync } from "node:fs";

/** In the environment of a server and of what it starts, so that they are known again; the value is the attempt's. */
export const markName = "LEAF_SERVER";

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
