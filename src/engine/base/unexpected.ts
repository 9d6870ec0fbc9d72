import type { Failure } from "../../protocol/jobs.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { errnoCode, explainFileSystemError, type FileDeed, LeafError, messageOf, wordsOf } from "./errors.ts";
import { explainDatabaseError } from "./sqlite.ts";

export interface Work {
  /** "the images are labelled": reads on after "while". */
  doing: Text;
  file?: string;
}

const notes = new WeakMap<object, Work>();

/** Notes on whatever is thrown what was being done; the innermost note is kept. LeafErrors say it themselves. */
export async function during<T>(doing: Text, file: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && !(error instanceof LeafError) && !notes.has(error))
      notes.set(error, { doing, file });
    throw error;
  }
}

/** What the system calls of Node mean in words. */
const deeds: Record<string, FileDeed> = {
  open: "open",
  read: "read",
  write: "write",
  fsync: "write",
  ftruncate: "write",
  mkdir: "create",
  mkdtemp: "create",
  scandir: "read",
  opendir: "read",
  stat: "read",
  lstat: "read",
  realpath: "read",
  rename: "replace",
  unlink: "remove",
  rm: "remove",
  rmdir: "remove",
  copyfile: "copy",
  spawn: "start",
};

/**
 * Any thrown thing as a LeafError: full disks, broken ones, databases and lack of memory in a sentence of their own; what is left is
 * a bug of ours (`internal`), told with what was being done.
 */
export function explained(error: unknown, work: Work): LeafError {
  if (error instanceof LeafError) return error;
  const { doing, file } = { ...work, ...(error instanceof Error ? notes.get(error) : undefined) };
  if (error instanceof Error && (error.name === "AbortError" || errnoCode(error) === "ABORT_ERR"))
    return new LeafError("cancelled", say`Cancelled.`, { cause: error });
  const known = ofSystem(error, file) ?? ofDatabase(error, file) ?? ofMemory(error, doing, file);
  if (known) return known;
  const what = messageOf(error).split("\n")[0]!.trim();
  const place = file ? ` (${file})` : "";
  return new LeafError("internal", say`Something went wrong in LEAF itself while ${doing}${place}: ${what}`, {
    file,
    cause: error,
    remedy: say`Please report it.`,
  });
}

/** A failure as a value, for another process or for `--json`. */
export function failureOf(error: unknown, work: Work = { doing: say`it worked` }): Failure {
  const known = explained(error, work);
  const { code, message, remedy, file, line, column, failures } = known;
  const words = wordsOf(known);
  return {
    code,
    message,
    remedy,
    file,
    line,
    column,
    ...(words && { words }),
    ...(failures && { failures }),
  };
}

function ofSystem(error: unknown, file: string | undefined): LeafError | undefined {
  if (errnoCode(error) === undefined) return undefined;
  const { syscall, path } = error as NodeJS.ErrnoException;
  const found = explainFileSystemError(
    error,
    deeds[syscall?.split(" ")[0] ?? ""] ?? "use",
    path ?? file ?? say`a file`,
  );
  return found instanceof LeafError ? found : undefined;
}

function ofDatabase(error: unknown, file: string | undefined): LeafError | undefined {
  if (!(error instanceof Error) || errnoCode(error) !== "ERR_SQLITE_ERROR") return undefined;
  const found = explainDatabaseError(error, file ?? say`a database in .leaf`);
  return found instanceof LeafError ? found : undefined;
}

function ofMemory(error: unknown, doing: Text, file: string | undefined): LeafError | undefined {
  const tooLarge =
    errnoCode(error) === "ERR_STRING_TOO_LONG" ||
    errnoCode(error) === "ERR_MEMORY_ALLOCATION_FAILED" ||
    (error instanceof RangeError && /allocation failed|invalid (string|array) length/i.test(error.message));
  if (!tooLarge) return undefined;
  return new LeafError(
    "failed",
    say`There is not enough memory while ${doing}${file ? say` (${file})` : ""}.`,
    {
      file,
      cause: error,
      remedy: say`Use smaller files or fewer images, or a machine with more memory.`,
    },
  );
}
