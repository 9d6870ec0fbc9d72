import { appendFileSync, existsSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import { messageOf } from "./errors.ts";
import { redact } from "./redact.ts";
import { version } from "./version.ts";

const mostBytes = 1_000_000;

/**
 * Appends an error with its stack to `.leaf/errors.log`, of which two of at most 1 MB are kept. Returns its path; undefined where
 * there is no `.leaf` folder or it cannot be written. Never throws.
 */
export function logError(leaf: string, error: unknown, doing: string): string | undefined {
  const file = path.join(leaf, "errors.log");
  try {
    if (!existsSync(leaf)) return undefined;
    if (existsSync(file) && statSync(file).size > mostBytes) renameSync(file, `${file}.1`);
    const head = `${new Date().toISOString()} leaf ${version}, node ${process.version}, ${process.platform} ${process.arch}, process ${process.pid}: ${doing}`;
    appendFileSync(file, `${head}\n${stackOf(error)}\n\n`, { mode: 0o600 });
    return file;
  } catch {
    return undefined;
  }
}

/** The stack with those of its causes. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const stack = redact(error.stack ?? error.message);
  return error.cause === undefined ? stack : `${stack}\ncaused by ${stackOf(error.cause)}`;
}
