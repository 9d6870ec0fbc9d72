import { existsSync } from "node:fs";
import path from "node:path";
import { say } from "../../words/text.ts";
import { editFile, endOfLinks } from "../base/editFile.ts";
import { LeafError } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import { decodeText, encodeText } from "../base/textFile.ts";
import { guessTable } from "../mos/guess.ts";
import { raterColumn } from "../mos/shape.ts";
import { scanCsv, withRecords } from "../tables/csvEdit.ts";
import { toCsv } from "../tables/csvText.ts";
import { harmlessCell, plainCell } from "../tables/formulaCells.ts";
import { parseNumber } from "../tables/number.ts";
import { openTable } from "../tables/table.ts";
import { ratingsColumns } from "./file.ts";
import { missingRows, type OnConflict, type RatingConflict, type RatingRow } from "./merge.ts";

/** Which columns mean what; what is left out is told by usual names. */
export interface RatingColumns {
  image?: string;
  score?: string;
  rater?: string;
}

export interface MergedFile {
  file: string;
  /** Ratings that it alone had. */
  added: number;
  known: number;
}

export interface MergeResult {
  into: string;
  merged: MergedFile[];
  conflicts: (RatingConflict & { file: string })[];
}

/**
 * Merges files of single ratings, one a row, into `into`: a file that is there gains rows at its end and keeps all else, byte for byte; a new one has
 * the columns of a ratings file of LEAF, and all others of the files. Throws a LeafError `input` for conflicts, where it is not said what is to be done
 * with them, and for rows that cannot be read; `config` for columns that are missing. Nothing is written then.
 */
export async function mergeRatingFiles(
  files: readonly string[],
  into: string,
  options: { columns?: RatingColumns; onConflict?: OnConflict } = {},
): Promise<MergeResult> {
  const sources: Read[] = [];
  for (const file of files) sources.push(await readRatings(file, options.columns));
  const result: MergeResult = { into, merged: [], conflicts: [] };
  const merge = (earlier: readonly RatingRow[]): RatingRow[] => {
    Object.assign(result, { merged: [], conflicts: [] });
    const added: RatingRow[] = [];
    for (const { file, rows } of sources) {
      const more = missingRows([...earlier, ...added], rows, options.onConflict ?? "first");
      result.merged.push({ file, added: more.rows.length, known: rows.length - more.rows.length });
      result.conflicts.push(...more.conflicts.map((one) => ({ ...one, file })));
      added.push(...more.rows);
    }
    if (result.conflicts.length > 0 && !options.onConflict) throw conflicting(result);
    return added;
  };
  const others = [...new Set(sources.flatMap((one) => one.others))];
  if (existsSync(into)) {
    await editFile(into, async (bytes) => {
      const target = await readRatings(into, options.columns);
      const added = merge(target.rows);
      return added.length === 0 ? undefined : appended(into, bytes, target, added, others);
    });
    return result;
  }
  const own = others.filter((name) => !(ratingsColumns as readonly string[]).includes(name));
  const rows = merge([]).map((row) => [
    row.image,
    row.rating,
    row.rater,
    row.time,
    ...own.map((name) => row.others[name] ?? ""),
  ]);
  await writeFileAtomic(await endOfLinks(into), toCsv([...ratingsColumns, ...own], rows));
  return result;
}

interface Read {
  file: string;
  columns: string[];
  decimalComma: boolean;
  /** By what they mean; `time` may be missing. */
  named: { image: string; score: string; rater: string; time?: string };
  others: string[];
  rows: RatingRow[];
}

async function readRatings(file: string, given: RatingColumns = {}): Promise<Read> {
  const table = await openTable(file);
  const { columns, headerLine, decimalComma } = table;
  const guess = given.image && given.score ? {} : ((await guessTable(file, columns)) ?? {});
  const pick = (wanted: string | undefined, ...usual: (string | undefined)[]) =>
    [wanted, ...usual].find((name) => name !== undefined && columns.includes(name));
  const image = pick(given.image, "image", guess.image);
  const score = pick(given.score, "rating", guess.score);
  const rater = pick(given.rater, "rater", raterColumn(columns));
  const time = pick("time");
  if (!image || !score || !rater) {
    const missing = !image ? say`names of images` : !score ? say`ratings` : say`raters`;
    throw new LeafError(
      "config",
      say`${path.basename(file)} has no column with ${missing}; there are ${columns.join(", ")}.`,
      { file, line: headerLine, remedy: say`Name the columns with --image, --score and --rater.` },
    );
  }
  const named = { image, score, rater, ...(time && { time }) };
  const others = columns.filter((name) => ![image, score, rater, time].includes(name));
  const wanted = [image, score, rater, ...(time ? [time] : []), ...others];
  const rows: RatingRow[] = [];
  for await (const batch of table.batches(wanted.map((name) => columns.indexOf(name))))
    for (const { line, cells, fault } of batch) {
      if (fault !== undefined)
        throw new LeafError("input", say`${path.basename(file)}:${line}: ${fault}`, {
          file,
          line,
          remedy: say`Correct the row: what cannot be read would be lost.`,
        });
      const [name = "", rating = "", by = "", ...rest] = cells;
      if (name === "" || rating === "") continue;
      const value = parseNumber(rating, decimalComma);
      const [at = "", ...beside] = time ? rest : ["", ...rest];
      rows.push({
        line,
        image: plainCell(name),
        rater: plainCell(by),
        time: at,
        rating: value === undefined ? rating : String(value),
        others: Object.fromEntries(others.map((column, i) => [column, plainCell(beside[i] ?? "")])),
      });
    }
  return { file, columns, decimalComma, named, others, rows };
}

/** The file's bytes with more rows at their end. Throws a LeafError `config` where values would find no column. */
function appended(
  file: string,
  bytes: Buffer,
  { columns, named, decimalComma }: Read,
  rows: readonly RatingRow[],
  others: readonly string[],
): Buffer {
  const name = path.basename(file);
  const remedy = say`Name a file that is not there yet with --out.`;
  const decoded = decodeText(bytes);
  const csv = decoded && scanCsv(decoded.text);
  if (!decoded || !csv || csv.unclosed || columns.some((column, i) => csv.header[i]?.value !== column))
    throw new LeafError("config", say`Only a CSV file in UTF-8 can gain rows, which ${name} is not.`, {
      file,
      remedy,
    });
  const lacking = others.filter(
    (column) => !columns.includes(column) && rows.some((row) => row.others[column]),
  );
  if (!named.time && rows.some(({ time }) => time !== "")) lacking.unshift("time");
  if (lacking.length > 0)
    throw new LeafError("config", say`${name} has no column for ${lacking.join(", ")} of the other files.`, {
      file,
      remedy,
    });
  const written = (rating: string) =>
    decimalComma &&
    csv.records.some(({ cells }) => /^[+-]?\d*,\d+$/.test(cells[columns.indexOf(named.score)]?.value ?? ""))
      ? rating.replace(".", ",")
      : rating;
  const text = withRecords(
    csv,
    rows.map((row) => {
      const told: Record<string, string> = {
        ...Object.fromEntries(
          Object.entries(row.others).map(([column, value]) => [column, harmlessCell(value)]),
        ),
        [named.image]: harmlessCell(row.image),
        [named.score]: written(row.rating),
        [named.rater]: harmlessCell(row.rater),
        ...(named.time && { [named.time]: row.time }),
      };
      return columns.map((column) => told[column] ?? "");
    }),
  );
  return encodeText(text, decoded.encoding);
}

function conflicting(result: MergeResult): LeafError {
  const { conflicts } = result;
  const [{ file, line, image, rater, ratings }] = conflicts as [MergeResult["conflicts"][number]];
  return new LeafError(
    "input",
    say`Ratings of the same image, rater and time differ between the files (${conflicts.length}). First: ${path.basename(file)}:${line}: ${image} by ${rater} is ${ratings[1].join(", ")}, and ${ratings[0].join(", ")} in a file before.`,
    {
      file,
      line,
      remedy: say`Correct one of the files, or say with --conflicts whether the first file's ratings stay (\`first\`) or all of them (\`both\`).`,
      result,
    },
  );
}
