import { stat } from "node:fs/promises";
import path from "node:path";
import { openTable, type Table } from "../tables/table.ts";
import { factsOf, type MosFormatName, recognise } from "./formats.ts";

/** What the files that a config names say of themselves; undefined where they say nothing, or cannot be read. */
export interface DetectedFormats {
  mos?: MosFormatName;
  split?: MosFormatName;
}

/** A workbook is read whole to see its columns: not again while it stays as it is. */
const known = new Map<string, { stamp: string; format: MosFormatName | undefined }>();
const mostKnown = 100;

/** The format of a file of scores, undefined for one that is none of them or cannot be read: reading it will tell why. */
export async function detectFormat(file: string, signal?: AbortSignal): Promise<MosFormatName | undefined> {
  const stats = await stat(file).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const stamp = `${stats.size} ${stats.mtimeMs} ${stats.ino}`;
  const before = known.get(file);
  if (before?.stamp === stamp) return before.format;
  const table = await openScores(file, signal).catch(() => undefined);
  signal?.throwIfAborted();
  const format = table && recognise(file, table.columns);
  known.delete(file);
  known.set(file, { stamp, format });
  for (const oldest of [...known.keys()].slice(0, -mostKnown)) known.delete(oldest);
  return format;
}

/** Opens a file of scores whose columns the config does not name: a known dataset's sheet goes before others. */
export function openScores(file: string, signal?: AbortSignal): Promise<Table> {
  return openTable(file, { signal, prefer: (columns) => recognise(file, columns) !== undefined });
}

/** Names of the columns of a file of scores, those that its format makes among them; none where it cannot be read. */
export async function columnsOf(file: string, format?: string): Promise<string[]> {
  const table = await openScores(file).catch(() => undefined);
  if (!table) return [];
  const derived = Object.keys(factsOf(format ?? recognise(file, table.columns))?.derived ?? {});
  return [...new Set([...table.columns, ...derived])].filter((name) => name !== "");
}

/** Looks at the files that a config names, relative to `root`. `value` is the config as parsed YAML, perhaps an invalid one. */
export async function detectFormats(
  value: unknown,
  root: string,
  signal?: AbortSignal,
): Promise<DetectedFormats> {
  const detect = async (section: "mos" | "split") => {
    const part = (value as Record<string, Record<string, unknown> | undefined>)[section];
    const file = part?.file;
    if (typeof file !== "string" || file === "" || part?.format !== undefined) return undefined;
    return detectFormat(path.resolve(root, file), signal);
  };
  const [mos, split] = await Promise.all([detect("mos"), detect("split")]);
  return { mos, split };
}
