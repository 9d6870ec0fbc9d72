import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { explainFileSystemError, LeafError, messageOf } from "./errors.ts";

export const otherLayout = 1;
export const corrupt = 11;
const [busy, locked, readonlyFile] = [5, 6, 8];
const [ioError, full, cannotOpen, wrongType, notADatabase] = [10, 13, 14, 20, 26];

/** SQLite's primary result code of an error, or of what a LeafError explains. */
export function sqliteCode(error: unknown): number | undefined {
  const raw = error instanceof LeafError ? error.cause : error;
  return raw instanceof Error && "errcode" in raw ? Number(raw.errcode) & 0xff : undefined;
}

/** Whether another process holds the database. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === busy || code === locked;
}

/** The file is not the database it should be. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === corrupt || code === notADatabase;
}

/** SQLite's result codes in one sentence; anything else unchanged. */
export function explainDatabaseError(error: unknown, file: string | Text): unknown {
  if (error instanceof LeafError) return error;
  const errcode = sqliteCode(error);
  const told: Record<number, [reason: Text, remedy: Text]> = {
    [busy!]: [say`another process is writing to it`, say`Wait for that process, or stop it.`],
    [locked!]: [say`another process is writing to it`, say`Wait for that process, or stop it.`],
    [otherLayout]: [say`it is not laid out as LEAF does`, say`Move it away and run the same command again.`],
    [wrongType!]: [
      say`it holds values that LEAF does not write`,
      say`Move it away and run the same command again.`,
    ],
    [corrupt]: [say`the file is damaged`, say`Move it away and run the same command again.`],
    [notADatabase!]: [say`it is not a database of LEAF`, say`Move it away and run the same command again.`],
    [ioError!]: [
      say`the disk failed to read or write`,
      say`Check the disk, and its free space; finished work is kept.`,
    ],
    [full!]: [
      say`no space is left on the disk`,
      say`Free some space and run the same command again; finished work is kept.`,
    ],
    [cannotOpen!]: [
      say`it does not exist or may not be opened`,
      say`Run \`leaf label\` first, or check the permissions.`,
    ],
    [readonlyFile!]: [say`it is read-only`, say`Make the file and its folder writable.`],
  };
  const known = errcode === undefined ? undefined : told[errcode];
  if (!known) return explainFileSystemError(error, "open", file);
  return new LeafError("failed", say`Cannot use ${file}: ${known[0]} (${messageOf(error)}).`, {
    file: typeof file === "string" ? file : undefined,
    remedy: known[1],
    cause: error,
  });
}

/** Items in arrays of at most `size`; reads no further ahead. */
export function* chunksOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** SQL's NULL stays null rather than becoming 0. */
export function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
