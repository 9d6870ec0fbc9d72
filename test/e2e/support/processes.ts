import { readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

const mark = "LEAF_E2E_RUN";

export interface RunningProcess {
  pid: number;
  command: string;
}

/** Environment by which everything that a test started is found again, whatever it became a child of (Linux). */
export function marked(id: string): NodeJS.ProcessEnv {
  return { ...process.env, [mark]: id };
}

export function processesOf(id: string): RunningProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (!readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(`${mark}=${id}`)) return [];
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${name}/status`, "utf8"))) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim();
        return [{ pid: Number(name), command }];
      } catch {
        return []; // It ended meanwhile, or is not ours.
      }
    });
}

export function kill(processes: RunningProcess[], signal: NodeJS.Signals = "SIGKILL"): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch {
      // Ended by itself.
    }
  }
}

/** Ends all that is left. Returns what was left. */
export async function endAll(id: string): Promise<RunningProcess[]> {
  const left = processesOf(id);
  await until("every process to end", () => {
    kill(processesOf(id));
    return processesOf(id).length === 0;
  });
  return left;
}

/** LEAF's own: the language server, its scorer, jobs and trainers. */
export function leafProcesses(id: string): RunningProcess[] {
  return processesOf(id).filter(({ command }) =>
    /dist\/(server|scorer|cli)\.js|-m leaf\b|leaf\.entry/.test(command),
  );
}

export function serverProcesses(id: string): RunningProcess[] {
  return processesOf(id).filter(({ command }) => /leaf-iqa[^ ]*\/dist\/server\.js/.test(command));
}
