import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { stopFile, usersOf } from "./files.ts";
import type { ServerSpec } from "./spec.ts";

/** Less would stop a server between two runs that follow each other. */
const leastIdleMs = 1_000;

export interface Usage {
  /** When the last user left; null while there is one. */
  idleSince: string | null;
  idleMinutes: number;
}

/** How long nobody has used a server, by a clock that stands still while the machine sleeps. */
export function usageClock(dir: string, spec: ServerSpec) {
  let { startMinutes, idleMinutes } = spec;
  let lastUsed = performance.now();
  let idleSince: string | null = null;
  return {
    async look(): Promise<Usage> {
      const users = [...(await usersOf(dir)).values()];
      if (users.length > 0) {
        lastUsed = performance.now();
        idleSince = null;
        startMinutes = Math.max(...users.map((user) => user.startMinutes));
        idleMinutes = Math.max(...users.map((user) => user.idleMinutes));
      } else idleSince ??= new Date().toISOString();
      return { idleSince, idleMinutes };
    },
    startMinutes: () => startMinutes,
    isOver: () => performance.now() - lastUsed >= Math.max(idleMinutes * 60_000, leastIdleMs),
  };
}

/** What a supervisor is asked in the file `stop`: to end `now`, or only if `unused`, where the run that started it was cancelled. */
export type StopRequest = "now" | "unused";

/** The request that holds: one for an unused server is dropped where somebody uses it. */
export async function stopRequest(dir: string): Promise<StopRequest | undefined> {
  if (!existsSync(stopFile(dir))) return undefined;
  const request = (await readFile(stopFile(dir), "utf8").catch(() => "")).trim();
  if (request !== ("unused" satisfies StopRequest)) return "now";
  if ((await usersOf(dir)).size === 0) return "unused";
  await rm(stopFile(dir), { force: true });
  return undefined;
}
