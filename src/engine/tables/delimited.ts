import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { imageExtensions } from "../images/format.ts";
import { delimiterOf } from "./csvRows.ts";
import { csvRows, type ReadRow } from "./csvStream.ts";
import { detectEncoding, type Encoding, readHead, readText } from "./encoding.ts";
import type { Table, TableOptions, TableRow } from "./types.ts";

/** Columns of a text without a header whose lines are a score, a blank and a file name, as in TID2013. */
export const scoreAndName = ["mos", "image"];
const scoreAndNameLine = new RegExp(
  `^\\s*[+-]?\\d+(\\.\\d+)?[ \\t]+\\S+\\.(${imageExtensions.join("|")})\\s*$`,
  "i",
);

const batchSize = 1000;

interface Layout {
  encoding: Encoding;
  delimiter: string;
  hasHeader: boolean;
}

/**
 * A text of rows: comma, semicolon or tab; UTF-8 (BOM or not), UTF-16 with BOM, else Windows-1252. The first row names the
 * columns.
 */
export async function openDelimited(file: string, { signal }: TableOptions): Promise<Table> {
  const layout = await layoutOf(file, signal);
  let columns = layout.hasHeader ? undefined : scoreAndName;
  let headerLine = 1;
  if (columns === undefined) {
    for await (const [first] of records(file, layout, 1, signal)) {
      [columns, headerLine] = [first!.values, first!.line];
      break;
    }
  }
  if (columns === undefined) {
    throw new LeafError(
      "config",
      say`${path.basename(file)} is empty: its first row must name the columns.`,
      {
        file,
      },
    );
  }
  return {
    columns,
    headerLine,
    decimalComma: layout.delimiter !== ",",
    async *batches(at, signal): AsyncGenerator<TableRow[]> {
      let header = layout.hasHeader ? 1 : 0;
      for await (const batch of records(file, layout, batchSize, signal)) {
        yield batch
          .slice(header)
          .map(({ values, ...row }) => ({ ...row, cells: at.map((place) => values[place] ?? "") }));
        header = 0;
      }
    },
  };
}

async function* records(
  file: string,
  { encoding, delimiter, hasHeader }: Layout,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<ReadRow[]> {
  const batches = csvRows(file, readText(file, encoding, signal), delimiter, { size, signal });
  if (hasHeader) yield* batches;
  else
    for await (const batch of batches)
      yield batch.map((row) => ({ ...row, values: scoreThenName(row.values) }));
}

/** Blanks that align the scores are no cells. */
function scoreThenName(values: string[]): string[] {
  return values.filter((cell) => cell !== "");
}

/** The encoding, and the delimiter by the header. */
async function layoutOf(file: string, signal?: AbortSignal): Promise<Layout> {
  const encoding = await detectEncoding(file, signal);
  const text = await readHead(file, encoding, 65536);
  const first = text.split(/\r\n|\n|\r/).find((line) => line.trim() !== "") ?? "";
  if (scoreAndNameLine.test(first))
    return { encoding, delimiter: /\t/.test(first) ? "\t" : " ", hasHeader: false };
  return { encoding, delimiter: delimiterOf(text), hasHeader: true };
}
