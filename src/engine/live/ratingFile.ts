import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../config.ts";
import { ImageMatcher } from "../dataset/match.ts";
import { foldedNames } from "../dataset/names.ts";
import { openIndex } from "../dataset.ts";
import { LeafError } from "../errors.ts";
import { withFileErrors, writeFileAtomic } from "../files.ts";
import { factsOf } from "../mos/formats.ts";
import { studentToMos } from "../mos.ts";
import type { Project } from "../project.ts";
import { tableKind } from "../tables/table.ts";
import { copiesOf } from "./copies.ts";
import {
  type CsvRecord,
  type CsvText,
  scanCsv,
  withCell,
  withoutRecord,
  withRaw,
  withRecord,
} from "./csvEdit.ts";

export type RatingsConfig = NonNullable<Config["mos"]>;

/** What stood in the place of a rating: the score's cell as it was written, or null where the image had no row. */
export type Before = string | null;

interface RatingsText {
  /** Where links lead: a rename must not replace the link. */
  file: string;
  encoding: "utf8" | "utf16le";
  csv: CsvText;
  imageColumn: number;
  scoreColumn: number;
}

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
): Promise<Before> {
  const file = path.resolve(project.root, mos.file);
  const refusal = await ratingRefusal(file, mos);
  if (refusal) throw refusal;
  if (!existsSync(file)) await writeFileAtomic(file, `${mos.image},${mos.score}\n`);
  const ratings = await readRatings(file, mos);
  const { csv, imageColumn, scoreColumn } = ratings;
  const text = ratingText(mos, rating, usesDecimalComma(ratings));
  const [first, ...others] = rowsOf(project, ratings, image.hash);
  if (!first) {
    const values = csv.header.map((_, i) => (i === imageColumn ? image.path : i === scoreColumn ? text : ""));
    await write(ratings, withRecord(csv, values));
    return null;
  }
  // Rows that repeat the image must agree with its score. From the end, so that places before stay.
  let edited = csv;
  for (const row of [first, ...others].reverse())
    edited = { ...edited, text: withCell(edited, row, scoreColumn, text) };
  await write(ratings, edited.text);
  const cell = first.cells[scoreColumn];
  return cell ? csv.text.slice(cell.start, cell.end) : "";
}

/** Puts back what stood before a rating; a row that was added for it goes, unless it has gained other values. */
export async function takeRatingBack(
  project: Project,
  mos: RatingsConfig,
  hash: string,
  before: Before,
): Promise<void> {
  const file = path.resolve(project.root, mos.file);
  if (!existsSync(file)) return;
  const refusal = await ratingRefusal(file, mos);
  if (refusal) throw refusal;
  const ratings = await readRatings(file, mos);
  const { csv, imageColumn, scoreColumn } = ratings;
  let edited = csv;
  for (const row of rowsOf(project, ratings, hash).reverse()) {
    const cell = row.cells[scoreColumn];
    const bare = row.cells.every(({ value }, i) => i === imageColumn || i === scoreColumn || value === "");
    let text = edited.text;
    if (before === null && bare) text = withoutRecord(edited, row);
    else if (cell) text = withRaw(edited, cell, before ?? "");
    edited = { ...edited, text };
  }
  await write(ratings, edited.text);
}

/**
 * Rows that hold a score; 0 for a file that is not there, undefined for one that takes no ratings. Throws as `writeRating`.
 */
export async function countRatings(project: Project, mos: RatingsConfig): Promise<number | undefined> {
  const file = path.resolve(project.root, mos.file);
  if (!existsSync(file)) return 0;
  if (await ratingRefusal(file, mos)) return undefined;
  const { csv, scoreColumn } = await readRatings(file, mos);
  return csv.records.filter((row) => (row.cells[scoreColumn]?.value ?? "") !== "").length;
}

/** Why ratings cannot be written to a file: only a CSV file of names and scores can gain a row and all else stay as it is. */
async function ratingRefusal(file: string, mos: RatingsConfig): Promise<LeafError | undefined> {
  const named = /\.(xlsx|json|jsonl|ndjson|parquet)$/i.test(file);
  const text = existsSync(file) ? (await tableKind(file)) === "text" : !named;
  const derived = Object.keys(factsOf(mos.format)?.derived ?? {});
  const hasHeader = mos.format !== "tid2013";
  if (text && !named && hasHeader && !derived.includes(mos.image)) return undefined;
  return new LeafError(
    "config",
    `Ratings can only be written to a CSV file with a column of names and one of scores, not to ${path.basename(file)}.`,
    { file, remedy: "Name a CSV file of your own, such as mos.csv, under `mos.file` of the config." },
  );
}

async function readRatings(given: string, mos: RatingsConfig): Promise<RatingsText> {
  const file = await withFileErrors("read", given, () => realpath(given));
  const bytes = await withFileErrors("read", file, () => readFile(file));
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf16le" : "utf8";
  const text = bytes.toString(encoding);
  const name = path.basename(file);
  if (!Buffer.from(text, encoding).equals(bytes)) {
    throw new LeafError("input", `${name} is not UTF-8, so that a rating would damage it.`, {
      file,
      remedy: "Save it as UTF-8.",
    });
  }
  const csv = scanCsv(text);
  const columnOf = (column: string) => csv?.header.findIndex((cell) => cell.value === column) ?? -1;
  const [imageColumn, scoreColumn] = [columnOf(mos.image), columnOf(mos.score)];
  if (!csv || imageColumn < 0 || scoreColumn < 0) {
    const missing = imageColumn < 0 ? mos.image : mos.score;
    throw new LeafError("config", `${name} has no column "${missing}".`, {
      file,
      line: 1,
      remedy: "Name the columns under `mos:` as the file does.",
    });
  }
  return { file, encoding, csv, imageColumn, scoreColumn };
}

async function write({ file, encoding, csv }: RatingsText, text: string): Promise<void> {
  if (text !== csv.text) await writeFileAtomic(file, Buffer.from(text, encoding));
}

/** The rows that mean an image, by whatever name. */
function rowsOf(project: Project, { csv, imageColumn }: RatingsText, hash: string): CsvRecord[] {
  const index = openIndex(project.indexFile);
  try {
    const matcher = new ImageMatcher(index);
    const names = new Set<string>();
    for (const copy of copiesOf(project.indexFile, hash)) {
      const { name, stem } = foldedNames(copy);
      names.add(name).add(stem);
    }
    return csv.records.filter((row) => {
      const cell = row.cells[imageColumn]?.value ?? "";
      if (cell === "") return false;
      // Looking each name up in the index would take seconds for a long file.
      const { name, stem } = foldedNames(cell.replaceAll("\\", "/"));
      if (!names.has(name) && !names.has(stem)) return false;
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
