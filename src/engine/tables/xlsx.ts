import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import readWorkbook from "read-excel-file/node";
import { say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { limits, megabytes } from "../base/limits.ts";
import { cellText } from "./cellText.ts";
import type { Table, TableOptions, TableRow } from "./types.ts";
import { boundedWorkbook } from "./xlsxBounds.ts";

/** Titles and notes may stand above the names of the columns. */
const rowsAbove = 20;
const batchSize = 1000;

interface Place {
  sheet: unknown[][];
  header: number;
}

/**
 * An Excel workbook. The table is the longest sheet one of whose first rows has the columns that are meant; without such, the
 * first row of two cells or more on the first sheet that has one.
 */
export async function openXlsx(file: string, { prefer, signal }: TableOptions): Promise<Table> {
  const base = path.basename(file);
  const { size } = await stat(file);
  if (size > limits.xlsxBytes) {
    throw new LeafError("input", say`${base} is too large for a workbook (${megabytes(size)}).`, {
      file,
      remedy: say`Save the sheet as CSV, which is streamed.`,
    });
  }
  const sheets = await sheetsOf(file);
  throwIfCancelled(signal);
  const place = placeOf(sheets, prefer);
  if (!place) {
    throw new LeafError("config", say`${base} is empty: a row of its sheet must name the columns.`, { file });
  }
  const { sheet, header } = place;
  return {
    columns: sheet[header]!.map(cellText),
    headerLine: header + 1,
    decimalComma: true,
    async *batches(at, signal): AsyncGenerator<TableRow[]> {
      for (let from = header + 1; from < sheet.length; from += batchSize) {
        throwIfCancelled(signal);
        yield sheet.slice(from, from + batchSize).flatMap((row, i) => {
          if (row.every((cell) => cell === null || cell === "")) return [];
          return [{ line: from + i + 1, cells: at.map((place) => cellText(row[place])) }];
        });
      }
    },
  };
}

async function sheetsOf(file: string): Promise<unknown[][][]> {
  const bytes = await readFile(file);
  try {
    const workbook = boundedWorkbook(file, bytes);
    return (await readWorkbook(workbook)).map(({ data }) => data as unknown[][]);
  } catch (error) {
    if (error instanceof LeafError) throw error;
    throw new LeafError("input", say`${path.basename(file)} is not an Excel workbook, or a damaged one.`, {
      file,
      remedy: say`Save it again as .xlsx or CSV.`,
      cause: error,
    });
  }
}

function placeOf(sheets: unknown[][][], prefer: TableOptions["prefer"]): Place | undefined {
  const places = sheets.flatMap((sheet) =>
    sheet.slice(0, rowsAbove).map((row, header) => ({ sheet, header, columns: row.map(cellText) })),
  );
  const meant = prefer ? places.filter(({ columns }) => prefer(columns)) : [];
  if (meant.length > 0)
    return meant.reduce((best, next) => (next.sheet.length > best.sheet.length ? next : best));
  const filled = ({ columns }: { columns: string[] }) => columns.filter((name) => name !== "").length;
  return places.find((place) => filled(place) >= 2) ?? places.find((place) => filled(place) >= 1);
}
