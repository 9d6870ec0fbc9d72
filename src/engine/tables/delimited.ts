import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { delimiterOf, headerOf } from "./csvRows.ts";
import { csvRows, type ReadRow } from "./csvStream.ts";
import { detectEncoding, type Encoding, readHead, readText } from "./encoding.ts";
import { type Headless, headlessOf } from "./headless.ts";
import type { Table, TableOptions, TableRow } from "./types.ts";

const batchSize = 1000;

interface Layout {
  encoding: Encoding;
  delimiter: string;
  /** Rows above that of the names. */
  above: number;
  headless?: Headless;
}

/**
 * A text of rows: comma, semicolon or tab; UTF-8 (BOM or not), UTF-16 with BOM, else Windows-1252. The first row names the
 * columns, below titles and comments.
 */
export async function openDelimited(file: string, { signal }: TableOptions): Promise<Table> {
  const layout = await layoutOf(file, signal);
  let columns = layout.headless && [...layout.headless.columns];
  let headerLine = 1;
  if (columns === undefined) {
    for await (const rows of records(file, layout, layout.above + 1, signal)) {
      const first = rows[layout.above] ?? rows[0]!;
      [columns, headerLine] = [first.values, first.line];
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
      let header = layout.headless ? 0 : layout.above + 1;
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
  { encoding, delimiter, headless }: Layout,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<ReadRow[]> {
  const batches = csvRows(file, readText(file, encoding, signal), delimiter, { size, signal });
  // Blanks that align what stands in a line are no cells.
  const filled = (values: string[]) => values.filter((cell) => cell !== "");
  if (!headless) yield* batches;
  else for await (const batch of batches) yield batch.map((row) => ({ ...row, values: filled(row.values) }));
}

/** The encoding, and the delimiter by the header. */
async function layoutOf(file: string, signal?: AbortSignal): Promise<Layout> {
  const encoding = await detectEncoding(file, signal);
  const text = await readHead(file, encoding, 65536);
  const first = text.split(/\r\n|\n|\r/).find((line) => line.trim() !== "") ?? "";
  const headless = headlessOf(first);
  if (headless) return { encoding, headless, delimiter: headless.delimiter, above: 0 };
  const { at, above } = headerOf(text);
  return { encoding, delimiter: delimiterOf(text.slice(at)), above };
}
