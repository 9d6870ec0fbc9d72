import { stat } from "node:fs/promises";
import path from "node:path";
import { LRUCache } from "lru-cache";
import { openTable } from "../tables/table.ts";
import { factsOf, type MosFormatName, recognise } from "./formats.ts";

/** What the files that a config names say of themselves; undefined where they say nothing, or cannot be read. */
export interface DetectedFormats {
  mos?: MosFormatName;
  split?: MosFormatName;
}

/** A workbook is read whole to see its columns: not again while it stays as it is. */
const known = new LRUCache<string, { stamp: string; columns: string[] }>({ max: 100 });

/** The columns as the file has them; none for one that cannot be read, since reading it will tell why. */
async function ownColumns(file: string): Promise<string[]> {
  const stats = await stat(file).catch(() => undefined);
  if (!stats?.isFile()) return [];
  const stamp = `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`;
  const before = known.get(file);
  if (before?.stamp === stamp) return before.columns;
  const prefer = (columns: readonly string[]) => recognise(file, columns) !== undefined;
  const columns = await openTable(file, { prefer }).then(
    (table) => table.columns,
    () => [],
  );
  known.set(file, { stamp, columns });
  return columns;
}

/** The format of a file of scores; undefined for one that is none of them or cannot be read. */
export async function detectFormat(file: string): Promise<MosFormatName | undefined> {
  return recognise(file, await ownColumns(file));
}

/** Names of the columns of a file of scores, those that its format makes among them; none where it cannot be read. */
export async function columnsOf(file: string, format?: string): Promise<string[]> {
  const columns = await ownColumns(file);
  const derived = Object.keys(factsOf(format ?? recognise(file, columns))?.derived ?? {});
  return [...new Set([...columns, ...derived])].filter((name) => name !== "");
}

/** Looks at the files that a config names, relative to `root`. `value` is the config as parsed YAML, perhaps an invalid one. */
export async function detectFormats(value: unknown, root: string): Promise<DetectedFormats> {
  const detect = async (section: "mos" | "split") => {
    const part = (value as Record<string, Record<string, unknown> | undefined>)[section];
    const file = part?.file;
    if (typeof file !== "string" || file === "" || part?.format !== undefined) return undefined;
    return detectFormat(path.resolve(root, file));
  };
  const [mos, split] = await Promise.all([detect("mos"), detect("split")]);
  return { mos, split };
}
