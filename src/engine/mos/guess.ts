import { readdir } from "node:fs/promises";
import path from "node:path";
import { toPosix } from "../base/posixPath.ts";
import { openTable, tableFile } from "../tables/table.ts";
import type { Table } from "../tables/types.ts";
import { isEmptyCell, scoreIn } from "./cell.ts";
import { columnsOf, detectFormat } from "./detect.ts";
import { factsOf, type MosFormat, type MosFormatName } from "./formats.ts";
import { arePeople, type NumberColumn } from "./people.ts";
import { expandColumns, numberedColumns, raterColumn } from "./shape.ts";

/** What a folder's files of scores are, for the config of a new project. */
export interface ScoresGuess {
  /** Paths relative to the folder, forward slashes. */
  file: string;
  format?: MosFormatName;
  /** Only where no format gives them. */
  image?: string;
  score?: string;
  std?: string;
  /** How single ratings or votes stand in it. */
  rater?: string;
  raters?: string | string[];
  votes?: string[];
  /** An image has several rows, and no column says who rated. */
  anonymous?: true;
  /** Columns of numbers, where nothing tells what they are: there is no score then. */
  unsure?: string[];
  range?: [lowest: number, highest: number];
  /** File with the dataset's official split. */
  split?: string;
}

const imageNames = (
  "image image_name img_name image_id image_path imagepath img_path name filename file_name file img dist_img dist_name " +
  "picture photo path video_name stimulus stimulus_name pvs url"
).split(" ");
const scoreNames =
  "mos mos_quality score gt_score mean_opinion_score mos_score quality rating opinion grade ratings vote value response bewertung note".split(
    " ",
  );
/** Columns of lists, of which all but the last are of votes. */
const listNames = ["votes", "label", "labels", "distribution", "histogram", "scores"];
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
  const range = known.range ? undefined : guessRange(await scoresIn(path.join(root, main), [score], facts));
  return { file: main, format, ...(range ? { range } : {}), ...(split ? { split } : {}) };
}

async function guessPlain(root: string, files: readonly string[]): Promise<ScoresGuess | undefined> {
  for (const file of files.filter((name) => !name.includes("/"))) {
    const columns = await columnsOf(path.join(root, file));
    const guess = await guessTable(path.join(root, file), columns);
    if (guess) return { file, ...guess };
  }
  // A table that may hold scores, but does not say so.
  for (const file of files.filter((name) => !name.includes("/"))) {
    const columns = await columnsOf(path.join(root, file));
    const image = usualColumns(columns, []).image ?? (await columnOfNames(path.join(root, file), columns));
    const numbers = image === undefined ? [] : await numbersIn(path.join(root, file), columns, image);
    if (numbers.length === 0) continue;
    const range = guessRange(numbers.flatMap(({ values }) => values.filter((value) => value !== null)));
    return { file, image, unsure: numbers.map(({ name }) => name), range };
  }
  return undefined;
}

/** How a table of no known layout holds opinions; undefined for one that does not look like it. */
export async function guessTable(
  file: string,
  columns: readonly string[],
  preferred: readonly string[] = [],
): Promise<Omit<ScoresGuess, "file"> | undefined> {
  const { score, std, ...usual } = usualColumns(columns, preferred);
  const image = usual.image ?? (await columnOfNames(file, columns));
  if (!image) return undefined;
  // Single ratings say more than the mean that may stand beside them, unless it is asked for.
  for (const { columns: series, of, first } of numberedColumns(columns)) {
    if (series.includes(image) || (score && preferred.includes(score.toLowerCase()))) continue;
    const values = await scoresIn(file, series);
    if (values.length === 0) continue;
    const kind = of === "open" ? seriesKind(series.length, values) : of;
    if (kind === "votes") return { image, votes: series, range: [first, first + series.length - 1] };
    return { image, raters: asPattern(series, columns), range: guessRange(values) };
  }
  const list = score ?? columns.find((column) => listNames.includes(column.toLowerCase()));
  const lists = list === undefined ? undefined : await listsIn(file, list);
  if (list !== undefined && lists) return { image, score: list, range: lists };
  if (!score) {
    const numbers = await numbersIn(file, columns, image);
    if (!arePeople(numbers, guessRange)) return undefined;
    const values = numbers.flatMap((one) => one.values.filter((value) => value !== null));
    return { image, raters: numbers.map(({ name }) => name), range: guessRange(values) };
  }
  if (image === score) return undefined;
  const range = guessRange(await scoresIn(file, [score]));
  const rater = raterColumn(columns, [image, score]);
  const repeated = await repeats(file, image);
  if (rater && repeated) return { image, score, rater, range };
  return { image, score, ...(std ? { std } : {}), ...(repeated ? { anonymous: true } : {}), range };
}

const pictureName = /\.(?:jpe?g|png|bmp|tiff?|webp|gif|avif|hei[cf]|jxl)(?:$|[?#&])/i;
const rowsLookedAt = 20;

/** The column whose cells are names of pictures, whatever it is called. */
async function columnOfNames(file: string, columns: readonly string[]): Promise<string | undefined> {
  const named = columns.map(() => 0);
  let rows = 0;
  for await (const cells of cellsIn(file, columns)) {
    for (const [i, text] of cells.entries()) if (pictureName.test(text)) named[i]!++;
    if (++rows >= rowsLookedAt) break;
  }
  const most = Math.max(0, ...named);
  return 2 * most > rows ? columns[named.indexOf(most)] : undefined;
}

/** The columns beside the images' names that hold numbers and nothing else. */
async function numbersIn(file: string, columns: readonly string[], image: string): Promise<NumberColumn[]> {
  const others = columns.filter(
    (name) => name !== image && !/^(?:|id|index|no|nr|trial|order|position|row|unnamed: 0)$/i.test(name),
  );
  const found = others.map((name): NumberColumn => ({ name, values: [] }));
  const words = new Set<number>();
  let rows = 0;
  for await (const cells of cellsIn(file, others)) {
    for (const [i, text] of cells.entries()) {
      const value = isEmptyCell(text) ? null : Number(text);
      if (Number.isNaN(value)) words.add(i);
      else found[i]!.values.push(value);
    }
    if (++rows >= rowsAsked) break;
  }
  return found.filter(({ values }, i) => !words.has(i) && values.some((value) => value !== null));
}

/** The usual names of the columns, as the file writes them. */
function usualColumns(
  columns: readonly string[],
  preferred: readonly string[],
): { image?: string; score?: string; std?: string } {
  const find = (known: readonly string[]) =>
    known.map((name) => columns.find((column) => simple(column) === name)).find(Boolean);
  return { image: find(imageNames), score: find([...preferred, ...scoreNames]), std: find(stdNames) };
}

/** `Mean Opinion Score` as `mean_opinion_score`, `Answer.rating` (of a form) as `rating`. */
function simple(column: string): string {
  const name = column.toLowerCase().trim();
  return name.replace(/^(?:answer|input)\./, "").replace(/[\s-]+/g, "_");
}

/** The range of a column whose cells are lists, of ratings or of votes; undefined where they are none. */
async function listsIn(file: string, column: string): Promise<[number, number] | undefined> {
  const lists: number[][] = [];
  for await (const [text = ""] of cellsIn(file, [column])) {
    const list = scoreIn(text, false, [1, 5]);
    if (!Array.isArray(list)) return undefined;
    if (lists.push(list) >= 1000) break;
  }
  const length = lists[0]?.length;
  if (length === undefined) return undefined;
  const values = lists.flat();
  const isVotes =
    lists.every((one) => one.length === length) &&
    (listNames.slice(0, -1).includes(column.toLowerCase()) || seriesKind(length, values) === "votes");
  return isVotes ? [1, length] : guessRange(values);
}

/** Of columns whose name leaves it open: counts of votes go beyond any scale of ratings of that many grades. */
function seriesKind(count: number, values: readonly number[]): "votes" | "raters" {
  const highest = values.reduce((a, b) => Math.max(a, b), 0);
  const isWhole = values.every((value) => Number.isInteger(value) && value >= 0);
  const isShare =
    values.every((value) => value >= 0 && value <= 1) && values.some((value) => !Number.isInteger(value));
  return isShare || (isWhole && highest > Math.max(10, count) && [5, 7, 9, 10, 11].includes(count))
    ? "votes"
    : "raters";
}

/** `user*` for `user1`, `user2` …, where it means no other column. */
function asPattern(series: string[], columns: readonly string[]): string | string[] {
  const prefix = series[0]!.replace(/\d+$/, "");
  const pattern = `${prefix}*`;
  return prefix !== "" && expandColumns(columns, pattern).length === series.length ? pattern : series;
}

/** Whether most images stand on several rows. */
async function repeats(file: string, image: string): Promise<boolean> {
  const seen = new Set<string>();
  const again = new Set<string>();
  let rows = 0;
  for await (const [name] of cellsIn(file, [image])) {
    if (seen.has(name!)) again.add(name!);
    seen.add(name!);
    if (++rows >= rowsAsked) break;
  }
  return again.size > 0 && 2 * again.size >= seen.size;
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

/** The numbers in some columns. */
async function scoresIn(file: string, columns: readonly string[], facts?: MosFormat): Promise<number[]> {
  const values: number[] = [];
  let rows = 0;
  for await (const cells of cellsIn(file, columns, facts?.has)) {
    // Label Studio wraps its ratings; words of a grade say nothing of the range, and become 1 to 5.
    for (const text of cells) values.push(...[scoreIn(text, false, [1, 5]) ?? []].flat());
    if (++rows >= rowsAsked) break;
  }
  return values;
}

/** The cells of some columns, a decimal comma as a point. */
async function* cellsIn(
  file: string,
  columns: readonly string[],
  wanted: readonly string[] = columns,
): AsyncGenerator<string[]> {
  try {
    const prefer = (own: readonly string[]) => wanted.every((name) => own.includes(name));
    const table: Table = await openTable(file, { prefer });
    const at = columns.map((name) => table.columns.indexOf(name));
    for await (const batch of table.batches(at))
      for (const { cells } of batch)
        yield table.decimalComma ? cells.map((text) => text.replace(/^([+-]?\d*),(\d+)$/, "$1.$2")) : cells;
  } catch {
    // A damaged file is told when it is read for good; its beginning may do here.
  }
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
