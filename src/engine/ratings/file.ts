import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Retest } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { editFile, endOfLinks } from "../base/editFile.ts";
import { LeafError } from "../base/errors.ts";
import { withFileErrors, writeFileAtomic } from "../base/files.ts";
import { limits, megabytes } from "../base/limits.ts";
import { regularFile } from "../base/regularFile.ts";
import { decodeText, encodeText, type TextEncoding } from "../base/textFile.ts";
import type { Config } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { copiesOf } from "../dataset/copies.ts";
import { openIndex } from "../dataset/dataset.ts";
import { foldedNames } from "../dataset/index/names.ts";
import { ImageMatcher } from "../dataset/match.ts";
import { readingsOf, unicodeForms, uploadedName } from "../dataset/nameReadings.ts";
import { retestsOf } from "../metrics/retest.ts";
import { mainColumn } from "../mos/complete.ts";
import { factsOf } from "../mos/formats.ts";
import { studentToMos } from "../mos/scale.ts";
import { raterColumn } from "../mos/shape.ts";
import {
  type CsvText,
  scanCsv,
  withCell,
  withoutCells,
  withoutRecord,
  withRaw,
  withRecord,
} from "../tables/csvEdit.ts";
import { type CsvRow, scanRow } from "../tables/csvRows.ts";
import { unclosed } from "../tables/csvStream.ts";
import { harmlessCell, plainCell } from "../tables/formulaCells.ts";
import { parseNumber } from "../tables/number.ts";
import { tableKind } from "../tables/table.ts";

export type RatingsConfig = NonNullable<Config["mos"]>;

/**
 * What stood in the place of a rating: of each row of the image its number of cells and the score's cell as it was written, or
 * null where the image had no row. Earlier versions kept the one cell alone.
 */
export type Before = { cells: number; raw: string }[] | string | null;

interface RatingsText {
  encoding: TextEncoding;
  csv: CsvText;
  imageColumn: number;
  scoreColumn: number;
  /** Where several people rate. */
  raterColumn: number;
}

/** Whose rating it is, and when it was given. */
export interface By {
  rater: string;
  /** Milliseconds since 1970. */
  time: number;
  /** One more rating of an image that this rater has rated: it gets a row of its own. */
  repeat?: boolean;
}

/** Columns of a ratings file that LEAF makes. The time may be missing in others. */
export const ratingsColumns = ["image", "rating", "rater", "time"] as const;

/** A rating on 1..5 as it is written on the range of the MOS file. */
export function ratingText(mos: RatingsConfig, rating: number, decimalComma: boolean): string {
  const text = String(Number(studentToMos(rating, mos).toFixed(6)));
  return decimalComma ? text.replace(".", ",") : text;
}

/**
 * Writes one rating to the MOS file, all else of which stays as it is, byte for byte. The image's row gets the score, in any
 * way of naming it that `readMos` understands; a new one is added at the end. A missing file is made.
 */
export async function writeRating(
  project: Project,
  mos: RatingsConfig,
  image: { hash: string; path: string },
  rating: number,
  by?: By,
): Promise<Before> {
  const file = path.resolve(project.root, mos.file);
  const refusal = (await ratingRefusal(file, mos)) ?? (mos.rater !== undefined && !by && noRater(file));
  if (refusal) throw refusal;
  if (!existsSync(file)) {
    const header = mos.rater === undefined ? [mos.image, mainColumn(mos)] : ratingsColumns;
    await writeFileAtomic(await endOfLinks(file), `${header.join(",")}\n`);
  }
  let before: Before = null;
  await editFile(file, (bytes) => {
    const ratings = parseRatings(file, bytes, mos);
    if (mos.rater === undefined && areOfSeveral(ratings)) throw notARatingsFile(file);
    const { csv, imageColumn, scoreColumn } = ratings;
    const text = ratingText(mos, rating, usesDecimalComma(ratings));
    const told = toldOf(ratings, text, mos, by);
    const found = rowsOf(project, ratings, image.hash, mos.rater === undefined ? undefined : by);
    const rows = mos.rater === undefined || !by ? found : by.repeat ? [] : found.slice(0, 1);
    before = rows.length === 0 ? null : rows.map((row) => cellBefore(csv, row, scoreColumn));
    if (rows.length === 0) {
      told.set(imageColumn, harmlessCell(image.path));
      const values = csv.header.map((_, i) => told.get(i) ?? "");
      return encodeText(withRecord(csv, values), ratings.encoding);
    }
    // Rows that repeat the image must agree with its score. From the end, so that places before stay.
    let edited = csv;
    for (const row of rows.reverse())
      for (const [at, value] of [...told].sort(([a], [b]) => b - a))
        edited = { ...edited, text: withCell(edited, row, at, value) };
    return encodeText(edited.text, ratings.encoding);
  });
  return before;
}

/** The cells of a rating by their columns, without the image's. A column that the file lacks is passed over. */
function toldOf(
  { csv, scoreColumn, raterColumn: rater }: RatingsText,
  text: string,
  mos: RatingsConfig,
  by: By | undefined,
): Map<number, string> {
  if (mos.rater === undefined || !by) return new Map([[scoreColumn, text]]);
  const cells: [number, string][] = [
    [scoreColumn, text],
    [rater, harmlessCell(by.rater)],
    [columnAt(csv, "time"), new Date(by.time).toISOString()],
  ];
  return new Map(cells.filter(([at]) => at >= 0));
}

function columnAt({ header }: CsvText, name: string): number {
  return header.findIndex(({ value }) => value === name);
}

function noRater(file: string): LeafError {
  return new LeafError(
    "config",
    say`${path.basename(file)} holds the ratings of several people, and it is not known who rates.`,
    {
      file,
      remedy: say`Write your name into the setting \`leaf.rater\`.`,
    },
  );
}

function isOf({ raterColumn: at }: RatingsText, row: CsvRow, rater: string): boolean {
  return plainCell(row.cells[at]?.value ?? "") === rater;
}

function cellBefore({ text }: CsvText, { cells }: CsvRow, column: number) {
  const cell = cells[column];
  return { cells: cells.length, raw: cell ? text.slice(cell.start, cell.end) : "" };
}

/** Puts back what stood before a rating; a row that was added for it goes, unless it has gained other values. */
export async function takeRatingBack(
  project: Project,
  mos: RatingsConfig,
  hash: string,
  before: Before,
  by?: By,
): Promise<void> {
  const file = path.resolve(project.root, mos.file);
  if (!existsSync(file)) return;
  const refusal = (await ratingRefusal(file, mos)) ?? (mos.rater !== undefined && !by && noRater(file));
  if (refusal) throw refusal;
  await editFile(file, (bytes) => {
    const ratings = parseRatings(file, bytes, mos);
    const { csv, imageColumn, scoreColumn } = ratings;
    // What LEAF itself writes beside a rating.
    const own = mos.rater === undefined ? [] : [columnAt(csv, "time"), ratings.raterColumn];
    own.push(imageColumn, scoreColumn);
    let edited = csv;
    const found = rowsOf(project, ratings, hash, mos.rater === undefined ? undefined : by);
    const rows =
      mos.rater === undefined || !by ? found : by.repeat ? found.slice(1).slice(-1) : found.slice(0, 1);
    for (const [i, row] of [...rows.entries()].reverse()) {
      const had = typeof before === "string" ? { cells: row.cells.length, raw: before } : before?.[i];
      const cell = row.cells[scoreColumn];
      const others = row.cells.filter((_, at) => !own.includes(at));
      const isBare = others.every(({ value }) => value === "");
      const wasShorter = had && had.cells > 0 && had.cells <= scoreColumn;
      let text = edited.text;
      if (before === null && isBare) text = withoutRecord(edited, row);
      else if (wasShorter && row.cells.length === scoreColumn + 1)
        text = withoutCells(edited, row, had.cells);
      else if (cell) text = withRaw(edited, cell, oneCell(had?.raw, csv.delimiter));
      edited = { ...edited, text };
    }
    return encodeText(edited.text, ratings.encoding);
  });
}

/** What was kept of a cell, which a damaged or foreign `.leaf` may have made more of. */
function oneCell(raw: unknown, delimiter: string): string {
  if (typeof raw !== "string") return "";
  const row = scanRow(`${raw}\n`, 0, delimiter, true)!;
  return row.cells.length <= 1 && row.end === raw.length && !row.fault ? raw : "";
}

/** What a file of ratings holds so far. */
export interface RatingFacts {
  /** Rows that hold a score. */
  total: number;
  /** How far the rater agrees with themselves; absent where nothing was rated twice. */
  retest?: Retest;
}

/** Nothing of a file that is not there, undefined for one that takes no ratings. Throws as `writeRating`. */
export async function ratingFacts(
  project: Project,
  mos: RatingsConfig,
  rater?: string,
): Promise<RatingFacts | undefined> {
  const file = path.resolve(project.root, mos.file);
  if (!existsSync(file)) return { total: 0 };
  if (await ratingRefusal(file, mos)) return undefined;
  const bytes = await withFileErrors("read", file, () => readFile(file));
  const ratings = parseRatings(file, bytes, mos);
  if (mos.rater === undefined && areOfSeveral(ratings)) return undefined;
  const { csv, imageColumn, scoreColumn } = ratings;
  const rated = csv.records.filter((row) => (row.cells[scoreColumn]?.value ?? "") !== "");
  if (mos.rater === undefined || rater === undefined) return { total: rated.length };
  const timeColumn = columnAt(csv, "time");
  const own = rated.filter((row) => isOf(ratings, row, rater));
  const [retest] = retestsOf(
    own.flatMap(({ cells }) => {
      const value = parseNumber(cells[scoreColumn]!.value, usesDecimalComma(ratings));
      const image = cells[imageColumn]?.value ?? "";
      return value === undefined ? [] : [{ image, rater, value, time: cells[timeColumn]?.value }];
    }),
  );
  return { total: rated.length, ...(retest && { retest }) };
}

/** Why ratings cannot be written to a file: only a CSV file of names and scores can gain a row and all else stay as it is. */
async function ratingRefusal(file: string, mos: RatingsConfig): Promise<LeafError | undefined> {
  const named = /\.(xlsx|json|jsonl|ndjson|parquet)$/i.test(file);
  const there = existsSync(file);
  const text = there ? (await tableKind(file)) === "text" : !named;
  const { size } = there ? await regularFile(file, say`Name a CSV file.`) : { size: 0 };
  if (size > limits.csvEdit) {
    const most = megabytes(limits.csvEdit);
    return new LeafError(
      "input",
      say`${path.basename(file)} is too large to write ratings to: over ${most}.`,
      {
        file,
        remedy: say`Name a CSV file of your own, such as mos.csv, under \`mos.file\` of the config.`,
      },
    );
  }
  const derived = Object.keys(factsOf(mos.format)?.derived ?? {});
  const hasHeader = mos.format !== "tid2013";
  // A score would take the place of other people's.
  const ofOthers = mos.raters !== undefined || mos.votes !== undefined;
  if (text && !named && hasHeader && !ofOthers && !derived.includes(mos.image)) return undefined;
  return notARatingsFile(file);
}

function notARatingsFile(file: string): LeafError {
  return new LeafError(
    "config",
    say`Ratings can only be written to a CSV file with a column of names and one of scores, not to ${path.basename(file)}.`,
    { file, remedy: say`Name a CSV file of your own, such as mos.csv, under \`mos.file\` of the config.` },
  );
}

/** Whether its rows are ratings of several people, as `readMos` takes them: a score for an image would overwrite them all. */
function areOfSeveral({ csv, imageColumn, scoreColumn }: RatingsText): boolean {
  const byName = Map.groupBy(csv.records, (row) => row.cells[imageColumn]?.value ?? "");
  byName.delete("");
  const scores = [...byName.values()].map((rows) => rows.map((row) => row.cells[scoreColumn]?.value ?? ""));
  const repeated = scores.filter((list) => list.length > 1);
  const differing = repeated.filter((list) => list.some((score) => score !== list[0]));
  const rater = raterColumn(csv.header.map(({ value }) => value));
  return rater !== undefined
    ? differing.length > 0
    : differing.length >= 2 && 2 * repeated.length >= scores.length;
}

function parseRatings(file: string, bytes: Buffer, mos: RatingsConfig): RatingsText {
  const name = path.basename(file);
  const { text, encoding } = decodeText(bytes) ?? {};
  if (text === undefined || encoding === undefined) {
    throw new LeafError("input", say`${name} is not UTF-8, and a rating would damage it.`, {
      file,
      remedy: say`Save it as UTF-8.`,
    });
  }
  const csv = scanCsv(text);
  const columnOf = (column: string) => csv?.header.findIndex((cell) => cell.value === column) ?? -1;
  const [imageColumn, scoreColumn] = [columnOf(mos.image), columnOf(mainColumn(mos))];
  const noRaters = mos.rater !== undefined && columnOf(mos.rater) < 0;
  if (!csv || imageColumn < 0 || scoreColumn < 0 || noRaters) {
    const missing = imageColumn < 0 ? mos.image : scoreColumn < 0 ? mainColumn(mos) : mos.rater!;
    throw new LeafError("config", say`${name} has no column "${missing}".`, {
      file,
      line: 1,
      remedy: say`Name the columns under \`mos:\` as the file does.`,
    });
  }
  if (csv.unclosed) throw unclosed(file, csv.unclosed.line);
  return {
    encoding,
    csv,
    imageColumn,
    scoreColumn,
    raterColumn: mos.rater === undefined ? -1 : columnOf(mos.rater),
  };
}

/** The rows that mean an image, by whatever name; of one rater, where such is given. */
function rowsOf(project: Project, ratings: RatingsText, hash: string, by?: By): CsvRow[] {
  const { csv, imageColumn } = ratings;
  const index = openIndex(project.indexFile);
  try {
    const matcher = new ImageMatcher(index);
    const names = new Set<string>();
    for (const copy of copiesOf(project.indexFile, hash))
      for (const form of [...unicodeForms(copy), ...unicodeForms(copy).map(uploadedName)]) {
        const { name, stem } = foldedNames(form);
        names.add(name).add(stem);
      }
    return csv.records.filter((row) => {
      const cell = row.cells[imageColumn]?.value ?? "";
      if (cell === "" || row.fault || (by && !isOf(ratings, row, by.rater))) return false;
      // Looking each name up in the index would take seconds for a long file.
      const isNear = [cell, plainCell(cell)]
        .flatMap(readingsOf)
        .flat()
        .some((one) => {
          const { name, stem } = foldedNames(one.name);
          return names.has(name) || names.has(stem);
        });
      if (!isNear) return false;
      const match = matcher.match(cell);
      return "hash" in match && match.hash === hash;
    });
  } finally {
    index.close();
  }
}

function usesDecimalComma({ csv, scoreColumn }: RatingsText): boolean {
  if (csv.delimiter === ",") return false;
  return csv.records.some((row) => /^[+-]?\d*,\d+$/.test(row.cells[scoreColumn]?.value ?? ""));
}
