import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { appRoot } from "../engine/base/appRoot.ts";
import { childEnvironment } from "../engine/base/environment.ts";
import { LeafError } from "../engine/base/errors.ts";
import type { ErrorDocument } from "../protocol/errors.ts";

/** Runs `leaf … --json` in a process of its own and returns what it prints. What it says of a failure becomes a LeafError. */
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
      env: childEnvironment({ ...env, ELECTRON_RUN_AS_NODE: "1" }),
    });
    return JSON.parse(stdout) as T;
  } catch (error) {
    if (signal.aborted) throw new LeafError("cancelled", "Cancelled.");
    throw errorOf(error, args[0] ?? "");
  }
}

/** What a failed process left: the document of `--json`, or nothing but its end. */
export function errorOf(thrown: unknown, command: string): LeafError {
  const {
    stdout = "",
    code,
    signal,
  } = (thrown ?? {}) as { stdout?: unknown; code?: unknown; signal?: unknown };
  const { error, failures } = documentIn(String(stdout));
  if (error) {
    const { kind, message, ...place } = error;
    return new LeafError(kind, message, { ...place, failures, cause: thrown });
  }
  const how = signal ? `by ${signal}` : `with ${code ?? "no exit code"}`;
  return new LeafError("failed", `\`leaf ${command}\` ended ${how}, without a result.`, { cause: thrown });
}

function documentIn(stdout: string): Partial<ErrorDocument> {
  try {
    const found = JSON.parse(stdout) as Partial<ErrorDocument> | null;
    return typeof found?.error?.message === "string" ? found : {};
  } catch {
    return {};
  }
}
