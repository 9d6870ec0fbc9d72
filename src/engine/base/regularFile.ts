import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { explainFileSystemError, LeafError } from "./errors.ts";

/**
 * Looks at a file that a config or a person names, before it is opened: a device has no end and a pipe keeps its reader waiting.
 * Throws a LeafError `config` where there is no file to read.
 */
export async function regularFile(file: string, remedy: Text): Promise<Stats> {
  let stats: Stats;
  try {
    stats = await stat(file);
  } catch (error) {
    const explained = explainFileSystemError(error, "read", file);
    if (!(explained instanceof LeafError)) throw error;
    throw new LeafError("config", explained.words.message, {
      file,
      remedy: explained.words.remedy,
      cause: error,
    });
  }
  if (stats.isFile()) return stats;
  throw new LeafError("config", say`Cannot read ${file}: ${whatElse(stats)}.`, { file, remedy });
}

/** What stands in the place of a file. */
export function whatElse(stats: Pick<Stats, "isDirectory" | "isFIFO" | "isSocket">): Text {
  if (stats.isDirectory()) return say`it is a folder`;
  if (stats.isFIFO()) return say`it is a pipe, not a regular file`;
  if (stats.isSocket()) return say`it is a socket, not a regular file`;
  return say`it is a device, not a regular file`;
}
