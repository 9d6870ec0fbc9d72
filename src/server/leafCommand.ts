import { errorOf, LeafError } from "../engine/base/errors.ts";
import { ownCommand } from "../engine/base/ownProcess.ts";
import { runChild } from "../engine/base/processes.ts";
import type { ErrorDocument } from "../protocol/errors.ts";
import { say } from "../words/text.ts";

/** Runs `leaf … --json` in a process of its own and returns what it prints. What it says of a failure becomes a LeafError. */
export async function leafCommand<T>(
  args: string[],
  signal: AbortSignal,
  env: Record<string, string> = {},
): Promise<T> {
  const own = ownCommand([...args, "--json"], env);
  const result = await runChild(own.command, own.args, { env: own.env, signal, kept: 64e6 });
  try {
    if (result.code === 0) return JSON.parse(result.stdout) as T;
  } catch {
    // No result after all: told below.
  }
  throw errorOfProcess(result, args[0] ?? "");
}

/** What a failed process left: the document of `--json`, or nothing but its end. */
export function errorOfProcess(thrown: unknown, command: string): LeafError {
  const {
    stdout = "",
    code,
    signal,
  } = (thrown ?? {}) as { stdout?: unknown; code?: unknown; signal?: unknown };
  const { error, failures } = documentIn(String(stdout));
  if (error) {
    const { kind, ...rest } = error;
    return errorOf({ ...rest, code: kind, failures }, { cause: thrown });
  }
  return new LeafError(
    "failed",
    signal
      ? say`\`leaf ${command}\` ended by ${String(signal)}, without a result.`
      : say`\`leaf ${command}\` ended with ${String(code ?? "no exit code")}, without a result.`,
    { cause: thrown },
  );
}

function documentIn(stdout: string): Partial<ErrorDocument> {
  try {
    const found = JSON.parse(stdout) as Partial<ErrorDocument> | null;
    return typeof found?.error?.message === "string" ? found : {};
  } catch {
    return {};
  }
}
