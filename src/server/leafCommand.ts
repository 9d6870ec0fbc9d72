import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { appRoot } from "../engine/appRoot.ts";
import { LeafError } from "../engine/errors.ts";

/** Runs `leaf … --json` in a process of its own and returns what it prints. Its one sentence of failure becomes a LeafError. */
export async function leafCommand<T>(
  args: string[],
  signal: AbortSignal,
  env: Record<string, string> = {},
): Promise<T> {
  const cli = path.join(appRoot(), "dist", "cli.js");
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args, "--json"], {
      signal,
      maxBuffer: 64e6,
      env: { ...process.env, ...env, ELECTRON_RUN_AS_NODE: "1" },
    });
    return JSON.parse(stdout) as T;
  } catch (error) {
    if (signal.aborted) throw new LeafError("cancelled", "Cancelled.");
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    const lines = said.split("\n").map((line) => line.trim());
    // Above the sentence may stand progress and warnings, below it the remedy.
    const at = lines.findLastIndex((line) => line.startsWith("leaf: "));
    const message = (lines[at] ?? lines.at(-1) ?? "").replace(/^leaf: /, "");
    throw new LeafError("failed", message, { remedy: at < 0 ? undefined : lines[at + 1] });
  }
}
