import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Text } from "../../protocol/text.ts";
import { duration } from "../../words/duration.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { LeafError, throwIfCancelled } from "./errors.ts";
import { isBusy } from "./sqlite.ts";

export interface WaitOptions {
  signal?: AbortSignal;
  /** Told after two seconds, and now and then. */
  onNote?: (message: Text) => void;
  /** For tests. */
  patienceMs?: number;
}

/** Inside of SQLite nothing else happens, not even a cancellation: there it waits no longer than this. */
export const shortWaitMs = 250;
const patience = 60_000;
const lookEveryMs = 100;
const sayAfterMs = 2_000;
const sayEveryMs = 15_000;

/**
 * Does a piece of work on a database once no other process holds it. Throws LeafError `failed` that names who may, where that takes
 * over a minute, and `cancelled` at once. The work is all or nothing: it is done again from its start.
 */
export async function whenFree<T>(
  file: string,
  work: () => T,
  { signal, onNote, patienceMs = patience }: WaitOptions = {},
): Promise<T> {
  const begun = performance.now();
  let sayAt = begun + sayAfterMs;
  for (;;) {
    // Tried also once it is cancelled: an answer that is there is kept.
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      throwIfCancelled(signal);
      const now = performance.now();
      if (now - begun > patienceMs) throw stillHeld(file, patienceMs, error);
      if (now >= sayAt) {
        onNote?.(
          say`Waiting for ${file}: ${holder(file)} holds it (${duration(english, (now - begun) / 1000)}).`,
        );
        sayAt = now + sayEveryMs;
      }
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

function stillHeld(file: string, patienceMs: number, cause: unknown): LeafError {
  return new LeafError(
    "failed",
    say`${file} has been held by ${holder(file)} for over ${duration(english, patienceMs / 1000)}.`,
    {
      file,
      remedy: say`Close what has it open (another \`leaf\`, a database browser, a backup), and run the same command again; finished work is kept.`,
      cause,
    },
  );
}

/** Who has the file open, as far as the system tells: "process 12 (sqlite3)". */
function holder(file: string): Text {
  const found = holders(file);
  return found.length > 0 ? say`process ${found.slice(0, 3).join(", ")}` : say`another process`;
}

function holders(file: string): string[] {
  if (process.platform !== "linux") return [];
  try {
    const real = realpathSync(file);
    return readdirSync("/proc").flatMap((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid || !hasOpen(pid, real)) return [];
      return [`${pid} (${readFileSync(`/proc/${pid}/comm`, "utf8").trim()})`];
    });
  } catch {
    return [];
  }
}

function hasOpen(pid: string, file: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === file;
      } catch {
        return false; // Closed this moment.
      }
    });
  } catch {
    return false; // Another user's, or gone.
  }
}
