import { createReadStream } from "node:fs";
import path from "node:path";
import { pipeline, Readable } from "node:stream";
import { CsvError, type Options, parse } from "csv-parse";
import { LeafError, throwIfCancelled } from "../errors.ts";
import { imageExtensions } from "../images/format.ts";
import { detectEncoding, type Encoding, readHead, readText } from "./encoding.ts";
import type { Table, TableOptions, TableRow } from "./table.ts";

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

const settings: Options = {
  bom: true,
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  trim: true,
};

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
      [columns, headerLine] = [first!.record, first!.info.lines];
      break;
    }
  }
  if (columns === undefined) {
    throw new LeafError("config", `${path.basename(file)} is empty: its first row must name the columns.`, {
      file,
    });
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
          .map(({ record, info }) => ({ line: info.lines, cells: at.map((place) => record[place] ?? "") }));
        header = 0;
      }
    },
  };
}

interface Parsed {
  record: string[];
  info: { lines: number };
}

async function* records(
  file: string,
  { encoding, delimiter, hasHeader }: Layout,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<Parsed[]> {
  // The parser knows these two encodings itself, which is faster.
  const own = encoding === "utf-8" ? "utf8" : encoding === "utf-16le" ? "utf16le" : undefined;
  const parser = parse({ ...settings, delimiter, encoding: own ?? "utf8" });
  const text = own ? createReadStream(file) : Readable.from(readText(file, encoding));
  // Unlike pipe, it ends the parser when reading fails; the error comes out of the loop below.
  pipeline(text, parser, () => {});
  let batch: Parsed[] = [];
  try {
    for await (const parsed of parser as AsyncIterable<Parsed>) {
      batch.push(hasHeader ? parsed : { ...parsed, record: scoreThenName(parsed.record) });
      if (batch.length < size) continue;
      throwIfCancelled(signal);
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } catch (error) {
    throw explainCsvError(error, file);
  }
}

/** Blanks that align the scores are no cells. */
function scoreThenName(record: string[]): string[] {
  return record.filter((cell) => cell !== "");
}

/** The encoding, and the delimiter by what is most frequent in the header outside quotes. */
async function layoutOf(file: string, signal?: AbortSignal): Promise<Layout> {
  const encoding = await detectEncoding(file, signal);
  const text = await readHead(file, encoding, 65536);
  const first = text.split(/\r\n|\n|\r/, 1)[0]!;
  if (scoreAndNameLine.test(first))
    return { encoding, delimiter: /\t/.test(first) ? "\t" : " ", hasHeader: false };
  const header = text.replace(/"(?:[^"]|"")*"/g, "").split(/\r\n|\n|\r/, 1)[0]!;
  const count = (delimiter: string) => header.split(delimiter).length;
  const delimiter = [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
  return { encoding, delimiter, hasHeader: true };
}

function explainCsvError(error: unknown, file: string): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = "lines" in error ? Number(error.lines) : undefined;
  const quote = /QUOTE/.test(error.code);
  const reason = quote ? "a quote is not closed or stands inside a value" : error.message.split("\n")[0];
  return new LeafError("input", `${path.basename(file)}${line ? `:${line}` : ""}: ${reason}.`, {
    file,
    line,
    remedy: "Correct the row; a quote inside a quoted value is written twice.",
    cause: error,
  });
}
