import path from "node:path";
import { CommanderError } from "commander";
import { logError, stackOf } from "../engine/base/errorLog.ts";
import { type LeafError, wordsOf } from "../engine/base/errors.ts";
import { explained } from "../engine/base/unexpected.ts";
import { allFailures } from "../engine/failures/list.ts";
import { failureLines } from "../engine/failures/words.ts";
import type { ErrorDocument } from "../protocol/errors.ts";
import { inEnglish, say } from "../words/text.ts";
import { exitCodes, ok } from "./exitCodes.ts";
import { worded } from "./locale.ts";
import { terminalJson, terminalText } from "./terminalText.ts";

/** Where a person can see what was written. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

export interface ReportOptions {
  argv: readonly string[];
  /** Folder of the config; `.leaf/errors.log` in it gets what is a bug of ours. */
  root: string;
  terminal: boolean;
}

/** Whether one JSON document is asked for; after `--` stand names. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** Tells why a command failed: on stderr for people, with --json on stdout for programs. Returns the exit code. */
export async function reportError(
  thrown: unknown,
  options: ReportOptions,
  streams: Streams,
): Promise<number> {
  const json = wantsJson(options.argv);
  if (thrown instanceof CommanderError) {
    // It has told people itself.
    if (thrown.exitCode === 0) return ok;
    const message = thrown.message.replace(/^error: /, "");
    if (json) streams.out(`${terminalJson({ error: { kind: "usage", message } })}\n`);
    return exitCodes.usage;
  }
  const error = explained(thrown, { doing: say`it worked` });
  const lines = [`leaf: ${sentence(error)}`];
  if (error.failures && (error.failures.total > 1 || !error.message.includes(error.failures.first[0]!.file)))
    lines.push(...failureLines(error.failures).map((line) => `  ${line}`));
  const log =
    error.code === "internal" ? logError(path.join(options.root, ".leaf"), error, doing(options)) : undefined;
  const remedy = log
    ? say`Please report it with the log ${path.relative(process.cwd(), log)}.`
    : error.words.remedy;
  if (remedy) lines.push(`  ${worded(remedy)}`);
  // Without a log the stack would be lost.
  if (options.argv.includes("--verbose") || (error.code === "internal" && !log)) lines.push(stackOf(error));
  if (error.text && !json) streams.out(`${terminalText(error.text)}\n`);
  streams.err(`${options.terminal ? "\n" : ""}${lines.join("\n")}\n`);
  if (json) streams.out(`${terminalJson(await documentOf(error, remedy && inEnglish(remedy)))}\n`);
  return exitCodes[error.code];
}

async function documentOf(error: LeafError, remedy: string | undefined): Promise<ErrorDocument> {
  const { code, message, file, line, column, failures, result } = error;
  return {
    error: { kind: code, message, file, line, column, remedy, words: wordsOf(error) },
    ...result,
    ...(failures && { failures, failed: failedOf(result) ?? (await allFailures(failures)) }),
  };
}

/** A result that lists them in its own way keeps it. */
function failedOf(result: object | undefined): unknown {
  return result && "failed" in result ? result.failed : undefined;
}

function sentence({ code, words }: LeafError): string {
  const message = worded(words.message);
  return code === "internal" ? message.charAt(0).toLowerCase() + message.slice(1) : message;
}

/** The command without what follows it: names may be anybody's business. */
function doing({ argv }: ReportOptions): string {
  return `leaf ${argv.find((word) => !word.startsWith("-")) ?? ""}`.trim();
}
