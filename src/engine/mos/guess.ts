import { readdir } from "node:fs/promises";
import path from "node:path";
import { toPosix } from "../base/posixPath.ts";
import { openTable, tableFile } from "../tables/table.ts";
import type { Table } from "../tables/types.ts";
import { columnsOf, detectFormat } from "./detect.ts";
import { factsOf, type MosFormat, type MosFormatName } from "./formats.ts";

/** What a folder's files of scores are, for the config of a new project. */
export interface ScoresGuess {
  /** Paths relative to the folder, forward slashes. */
  file: string;
  format?: MosFormatName;
  /** Only where no format gives them. */
  image?: string;
  score?: string;
  std?: string;
  range?: [lowest: number, highest: number];
  /** File with the dataset's official split. */
  split?: string;
}

const imageNames = ["image", "image_name", "img_name", "name", "filename", "file", "img", "dist_img"];
const scoreNames = ["mos", "mos_quality", "score", "gt_score", "quality", "rating"];
const stdNames = ["std", "mos_std", "sd"];

/** Deep enough for a dataset's own folders, such as SPAQ's `Annotations`. */
const deepest = 2;
const mostFiles = 200;
/** Rows whose scores tell the range. */
const rowsAsked = 10_000;

/**
 * Finds scores: a file of a known dataset here or in the folders below, else a table beside the config whose columns look like
 * names and scores. Undefined where there is neither.
 */
export async function guessScores(root: string): Promise<ScoresGuess | undefined> {
  const files = await tableFiles(root);
  const formats = new Map<string, MosFormatName>();
  for (const file of files) {
    const format = await detectFormat(path.join(root, file));
    if (format) formats.set(file, format);
  }
  const official = files.find((file) => factsOf(formats.get(file))?.split !== undefined);
  // The file with the official split may hold the scores on another scale than the main one.
  const main = [...formats.keys()].find((file) => file !== official) ?? official;
  if (main === undefined) return guessPlain(root, files);
  const format = formats.get(main)!;
  const facts = factsOf(format)!;
  const split =
    official !== undefined && formats.get(official)!.startsWith(format.split("-")[0]!) ? official : undefined;
  const [score, known] = Object.entries(facts.scores)[0]!;
  const range = known.range ? undefined : guessRange(await scoresIn(path.join(root, main), score, facts));
  return { file: main, format, ...(range ? { range } : {}), ...(split ? { split } : {}) };
}

async function guessPlain(root: string, files: readonly string[]): Promise<ScoresGuess | undefined> {
  for (const file of files.filter((name) => !name.includes("/"))) {
    const columns = await columnsOf(path.join(root, file));
    const find = (known: string[]) =>
      known.map((name) => columns.find((column) => column.toLowerCase() === name)).find(Boolean);
    const [image, score, std] = [find(imageNames), find(scoreNames), find(stdNames)];
    if (!image || !score || image === score) continue;
    const range = guessRange(await scoresIn(path.join(root, file), score));
    return { file, image, score, ...(std ? { std } : {}), range };
  }
  return undefined;
}

/** Files that may be tables, those beside the config first, each folder by name. */
async function tableFiles(root: string): Promise<string[]> {
  const found: { file: string; depth: number }[] = [];
  const visit = async (dir: string, depth: number): Promise<void> => {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (found.length >= mostFiles) return;
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const inside = path.join(dir, entry.name);
      if (entry.isFile() && tableFile.test(entry.name))
        found.push({ file: toPosix(path.relative(root, inside)), depth });
      else if (entry.isDirectory() && depth < deepest) await visit(inside, depth + 1);
    }
  };
  await visit(root, 0);
  return found.sort((a, b) => a.depth - b.depth).map(({ file }) => file);
}

async function scoresIn(file: string, score: string, facts?: MosFormat): Promise<number[]> {
  const wanted = facts?.has ?? [score];
  const values: number[] = [];
  try {
    const prefer = (columns: readonly string[]) => wanted.every((name) => columns.includes(name));
    const table: Table = await openTable(file, { prefer });
    for await (const batch of table.batches([table.columns.indexOf(score)])) {
      for (const { cells } of batch) {
        const text = table.decimalComma ? cells[0]!.replace(",", ".") : cells[0]!;
        if (text !== "" && Number.isFinite(Number(text))) values.push(Number(text));
      }
      if (values.length >= rowsAsked) break;
    }
  } catch {
    // A damaged file is told when it is read for good; its beginning may do here.
  }
  return values;
}

/** The smallest usual scale that holds all values. */
function guessRange(values: readonly number[]): [number, number] {
  const lo = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const hi = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const usual: [number, number][] = [
    [1, 5],
    [0, 1],
    [0, 5],
    [1, 10],
    [0, 10],
    [0, 100],
  ];
  return (
    usual.find(([a, b]) => lo >= a && hi <= b) ?? [Math.floor(Math.min(0, lo)), Math.ceil(Math.max(1, hi))]
  );
}
