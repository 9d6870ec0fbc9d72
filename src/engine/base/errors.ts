import type { FailureSummary } from "../../protocol/failures.ts";
import type { Failure, FailureWords } from "../../protocol/jobs.ts";
import type { Text, TextValue } from "../../protocol/text.ts";
import { inEnglish, isQuoted, quoted, say } from "../../words/text.ts";
import { redact, redactText } from "./redact.ts";

/** What kind of failure this is; the command line maps it to an exit code, the editor to a place to show it. */
export type LeafErrorCode =
  | "usage"
  | "config"
  | "consent"
  | "input"
  | "environment"
  | "failed"
  | "cancelled"
  /** A bug of ours; made by `explained` alone. */
  | "internal";

export interface LeafErrorDetails {
  file?: string;
  /** 1-based. */
  line?: number;
  /** 1-based. */
  column?: number;
  /** The key of the config whose value is at fault. */
  key?: readonly string[];
  /** What the user can do about it, as one imperative sentence. */
  remedy?: Text;
  cause?: unknown;
  /** The images, pairs or rows that failed, where these are why. */
  failures?: FailureSummary;
  /** What there is all the same: `--json` prints it beside the error, `text` is the same for people. */
  result?: object;
  text?: string;
}

/**
 * An error a user can act on: one sentence, the place, the way out. Anything else that is thrown is a bug. `message` and `remedy` are
 * English, for logs and terminals; `words` are the same as data, for the editor's language.
 */
export class LeafError extends Error {
  readonly code: LeafErrorCode;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly key?: readonly string[];
  readonly remedy?: string;
  readonly words: FailureWords;
  readonly failures?: FailureSummary;
  readonly result?: object;
  readonly text?: string;

  constructor(code: LeafErrorCode, message: Text, details: LeafErrorDetails = {}) {
    // Messages quote what servers, files and the system said.
    const words: FailureWords = { message: redactText(message) };
    if (details.remedy !== undefined) words.remedy = redactText(details.remedy);
    super(inEnglish(words.message), { cause: details.cause });
    this.name = "LeafError";
    this.code = code;
    this.file = details.file;
    this.line = details.line;
    this.column = details.column;
    this.key = details.key;
    this.remedy = words.remedy === undefined ? undefined : inEnglish(words.remedy);
    this.words = words;
    this.failures = details.failures;
    this.result = details.result;
    this.text = details.text;
  }
}

/** The words of an error as another process needs them: none where they are somebody else's, the same in every language. */
export function wordsOf({ words }: LeafError): FailureWords | undefined {
  return isQuoted(words.message) && (!words.remedy || isQuoted(words.remedy)) ? undefined : words;
}

/** The error that a failure of another process tells of. */
export function errorOf(failure: Failure, details: Pick<LeafErrorDetails, "cause"> = {}): LeafError {
  const { code, message, remedy, file, line, column, failures, words } = failure;
  return new LeafError(code, words?.message ?? quoted(message), {
    remedy: words?.remedy ?? (remedy === undefined ? undefined : quoted(remedy)),
    file,
    line,
    column,
    failures,
    ...details,
  });
}

/** The same error with the images, pairs or rows that are why. */
export function withFailures(error: LeafError, failures: FailureSummary): LeafError {
  return changed(error, { failures });
}

/** The same error at a place. */
export function withPlace(error: LeafError, place: Pick<LeafErrorDetails, "file" | "line">): LeafError {
  return changed(error, place);
}

function changed(error: LeafError, details: LeafErrorDetails): LeafError {
  const { code, words, file, line, column, key, failures, result, text, cause } = error;
  return new LeafError(code, words.message, {
    file,
    line,
    column,
    key,
    failures,
    remedy: words.remedy,
    result,
    text,
    cause: cause ?? error,
    ...details,
  });
}

/** Throws a `cancelled` LeafError once the signal is aborted: the one that it was aborted with, where that says why. */
export function throwIfCancelled(signal?: AbortSignal): void {
  if (!signal?.aborted) return;
  throw isCancelled(signal.reason) ? signal.reason : new LeafError("cancelled", say`Cancelled.`);
}

export function isCancelled(error: unknown): boolean {
  return error instanceof LeafError && error.code === "cancelled";
}

/** Node's errors carry a `code` such as ENOENT; narrow to it without a cast at every call. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}

const fileSystemReasons: Record<string, [reason: Text, remedy: Text]> = {
  ENOSPC: [
    say`no space is left on the disk`,
    say`Free some space and run the same command again; finished work is kept.`,
  ],
  EDQUOT: [
    say`the disk quota is used up`,
    say`Free some space and run the same command again; finished work is kept.`,
  ],
  EROFS: [say`the file system is read-only`, say`Make the folder writable or move the project.`],
  EACCES: [say`permission is denied`, say`Check the permissions of the file and its folder.`],
  EPERM: [say`permission is denied`, say`Check the permissions of the file and its folder.`],
  EISDIR: [say`it is a folder`, say`Name a file.`],
  ENOENT: [say`it does not exist`, say`Check the path.`],
  ENOTDIR: [say`a part of its path is a file, not a folder`, say`Check the path.`],
  EIO: [say`the disk failed to read or write`, say`Check the disk; finished work is kept.`],
  ENXIO: [say`the disk failed to read or write`, say`Check the disk; finished work is kept.`],
  ESTALE: [say`the network drive has lost it`, say`Connect the drive again and run the same command again.`],
  ETIMEDOUT: [say`the drive does not answer`, say`Connect the drive again and run the same command again.`],
  EBUSY: [say`another program uses it`, say`Close that program and run the same command again.`],
  ETXTBSY: [say`another program uses it`, say`Close that program and run the same command again.`],
  ELOOP: [say`its links lead in a circle`, say`Check the links of its path.`],
  ENAMETOOLONG: [say`its name is too long`, say`Choose a shorter name.`],
  EFBIG: [say`it is larger than the file system allows`, say`Choose another disk.`],
  ENOTEMPTY: [say`the folder is not empty`, say`Choose another folder.`],
  EEXIST: [say`it exists already`, say`Choose another name.`],
  EXDEV: [say`it is on another disk`, say`Choose a place on the same disk.`],
  ENOMEM: [say`there is not enough memory`, say`Close other programs and run the same command again.`],
  EPIPE: [say`its reader has gone`, say`Run the same command again.`],
  ENFILE: [say`too many files are open`, say`Close other programs and run the same command again.`],
  EMFILE: [say`too many files are open`, say`Raise the limit with \`ulimit -n\`.`],
};

/** What could not be done with a file, as a sentence. */
const cannot = {
  open: (file: TextValue, why: Text) => say`Cannot open ${file}: ${why}.`,
  read: (file: TextValue, why: Text) => say`Cannot read ${file}: ${why}.`,
  write: (file: TextValue, why: Text) => say`Cannot write ${file}: ${why}.`,
  create: (file: TextValue, why: Text) => say`Cannot create ${file}: ${why}.`,
  createRun: (file: TextValue, why: Text) => say`Cannot create a run in ${file}: ${why}.`,
  replace: (file: TextValue, why: Text) => say`Cannot replace ${file}: ${why}.`,
  remove: (file: TextValue, why: Text) => say`Cannot remove ${file}: ${why}.`,
  copy: (file: TextValue, why: Text) => say`Cannot copy ${file}: ${why}.`,
  start: (file: TextValue, why: Text) => say`Cannot start ${file}: ${why}.`,
  use: (file: TextValue, why: Text) => say`Cannot use ${file}: ${why}.`,
};
export type FileDeed = keyof typeof cannot;

/** Turns a file system error into one sentence with a remedy; returns anything else unchanged. */
export function explainFileSystemError(error: unknown, doing: FileDeed, file: string | Text): unknown {
  const known = fileSystemReasons[errnoCode(error) ?? ""];
  if (!known) return error;
  return new LeafError("failed", cannot[doing](file, known[0]), {
    file: typeof file === "string" ? file : undefined,
    remedy: known[1],
    cause: error,
  });
}
