import type { FailureSummary } from "../../protocol/failures.ts";
import { redact } from "./redact.ts";

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
  remedy?: string;
  cause?: unknown;
  /** The images, pairs or rows that failed, where these are why. */
  failures?: FailureSummary;
  /** What there is all the same: `--json` prints it beside the error, `text` is the same for people. */
  result?: object;
  text?: string;
}

/** An error a user can act on: one sentence, the place, the way out. Anything else that is thrown is a bug. */
export class LeafError extends Error {
  readonly code: LeafErrorCode;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly key?: readonly string[];
  readonly remedy?: string;
  readonly failures?: FailureSummary;
  readonly result?: object;
  readonly text?: string;

  constructor(code: LeafErrorCode, message: string, details: LeafErrorDetails = {}) {
    // Messages quote what servers, files and the system said.
    super(redact(message), { cause: details.cause });
    this.name = "LeafError";
    this.code = code;
    this.file = details.file;
    this.line = details.line;
    this.column = details.column;
    this.key = details.key;
    this.remedy = details.remedy === undefined ? undefined : redact(details.remedy);
    this.failures = details.failures;
    this.result = details.result;
    this.text = details.text;
  }
}

/** The same error with the images, pairs or rows that are why. */
export function withFailures(error: LeafError, failures: FailureSummary): LeafError {
  const { code, message, file, line, column, remedy, result, cause } = error;
  return new LeafError(code, message, {
    file,
    line,
    column,
    remedy,
    result,
    cause: cause ?? error,
    failures,
  });
}

/** Throws a `cancelled` LeafError once the signal is aborted: the one that it was aborted with, where that says why. */
export function throwIfCancelled(signal?: AbortSignal): void {
  if (!signal?.aborted) return;
  throw isCancelled(signal.reason) ? signal.reason : new LeafError("cancelled", "Cancelled.");
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

const fileSystemReasons: Record<string, [reason: string, remedy: string]> = {
  ENOSPC: [
    "no space is left on the disk",
    "Free some space and run the same command again; finished work is kept.",
  ],
  EDQUOT: [
    "the disk quota is used up",
    "Free some space and run the same command again; finished work is kept.",
  ],
  EROFS: ["the file system is read-only", "Make the folder writable or move the project."],
  EACCES: ["permission is denied", "Check the permissions of the file and its folder."],
  EPERM: ["permission is denied", "Check the permissions of the file and its folder."],
  EISDIR: ["it is a folder", "Name a file."],
  ENOENT: ["it does not exist", "Check the path."],
  ENOTDIR: ["a part of its path is a file, not a folder", "Check the path."],
  EIO: ["the disk failed to read or write", "Check the disk; finished work is kept."],
  ENXIO: ["the disk failed to read or write", "Check the disk; finished work is kept."],
  ESTALE: ["the network drive has lost it", "Connect the drive again and run the same command again."],
  ETIMEDOUT: ["the drive does not answer", "Connect the drive again and run the same command again."],
  EBUSY: ["another program uses it", "Close that program and run the same command again."],
  ETXTBSY: ["another program uses it", "Close that program and run the same command again."],
  ELOOP: ["its links lead in a circle", "Check the links of its path."],
  ENAMETOOLONG: ["its name is too long", "Choose a shorter name."],
  EFBIG: ["it is larger than the file system allows", "Choose another disk."],
  ENOTEMPTY: ["the folder is not empty", "Choose another folder."],
  EEXIST: ["it exists already", "Choose another name."],
  EXDEV: ["it is on another disk", "Choose a place on the same disk."],
  ENOMEM: ["there is not enough memory", "Close other programs and run the same command again."],
  EPIPE: ["its reader has gone", "Run the same command again."],
  ENFILE: ["too many files are open", "Close other programs and run the same command again."],
  EMFILE: ["too many files are open", "Raise the limit with `ulimit -n`."],
};

/** Turns a file system error into one sentence with a remedy; returns anything else unchanged. */
export function explainFileSystemError(error: unknown, doing: string, file: string): unknown {
  const known = fileSystemReasons[errnoCode(error) ?? ""];
  if (!known) return error;
  return new LeafError("failed", `Cannot ${doing} ${file}: ${known[0]}.`, {
    file,
    remedy: known[1],
    cause: error,
  });
}
