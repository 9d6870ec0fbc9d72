import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { closest, distance } from "fastest-levenshtein";
import { errnoCode, explainFileSystemError, LeafError, throwIfCancelled } from "../errors.ts";
import { ImageMatcher } from "./match.ts";
import type { ImageIndex } from "./query.ts";

export type RowProblemKind = "noImage" | "ambiguous" | "unreadable" | "noName";

export interface ImageRow<Column extends string> {
  /** 1-based line of the file on which the row ends. */
  line: number;
  /** What the file calls the image. */
  name: string;
  hash: string;
  values: Record<Column, string>;
  delimiter: string;
}

export interface ImageCsvOptions<Column extends string> {
  /** Path of the CSV file: comma, semicolon or tab; UTF-8 (BOM or not) or UTF-16 with BOM; the first row names the columns. */
  file: string;
  /** Column with the image's name. */
  image: string;
  columns: readonly Column[];
  index: ImageIndex;
  signal?: AbortSignal;
  onRow(row: ImageRow<Column>): void;
  onProblem(kind: RowProblemKind, line: number, message: string): void;
}

/**
 * Streams a CSV file whose rows are about images. Rows that match no image, or several, are reported, never guessed.
 * Throws a LeafError `config` for a missing file or column, `input` for a file that is no CSV.
 */
export async function readImageCsv<Column extends string>(options: ImageCsvOptions<Column>): Promise<void> {
  const { file, signal } = options;
  const { encoding, delimiter } = await sniff(file);
  const matcher = new ImageMatcher(options.index);
  const parser = parse({
    bom: true,
    encoding,
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  // Unlike pipe, it ends the parser when reading fails; the error comes out of the loop below.
  pipeline(createReadStream(file), parser, () => {});
  let columns: Record<Column, number> | undefined;
  let imageColumn = 0;
  try {
    for await (const parsed of parser) {
      throwIfCancelled(signal);
      const { record, info } = parsed as { record: string[]; info: { lines: number } };
      if (columns === undefined) {
        imageColumn = findColumn(file, record, options.image);
        columns = {} as Record<Column, number>;
        for (const column of options.columns) columns[column] = findColumn(file, record, column);
        continue;
      }
      const line = info.lines;
      const name = record[imageColumn] ?? "";
      if (name === "") {
        options.onProblem("noName", line, "The row names no image.");
        continue;
      }
      const match = matcher.match(name);
      if ("problem" in match) {
        options.onProblem(match.problem, line, match.message);
        continue;
      }
      const values = {} as Record<Column, string>;
      for (const column of options.columns) values[column] = record[columns[column]] ?? "";
      options.onRow({ line, name, hash: match.hash, values, delimiter });
    }
  } catch (error) {
    throw explainCsvError(error, file);
  }
  if (columns === undefined)
    throw new LeafError("config", `${path.basename(file)} is empty: its first row must name the columns.`, {
      file,
    });
}

/** Finds encoding by byte order mark, and the delimiter by what is most frequent in the header outside quotes. */
async function sniff(file: string): Promise<{ encoding: BufferEncoding; delimiter: string }> {
  let head: Buffer;
  try {
    const handle = await open(file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(65536), 0, 65536, 0);
      head = buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoCode(error) === "EISDIR")
      throw new LeafError("config", `Cannot read ${file}: it is a folder.`, {
        file,
        remedy: "Name a CSV file.",
      });
    const explained = explainFileSystemError(error, "read", file);
    if (explained instanceof LeafError)
      throw new LeafError("config", explained.message, { ...explained, file, cause: error });
    throw error;
  }
  const encoding = head[0] === 0xff && head[1] === 0xfe ? "utf16le" : "utf8";
  const text = head.toString(encoding).replace(/^\ufeff/, "");
  const header = text.replace(/"(?:[^"]|"")*"/g, "").split(/\r\n|\n|\r/, 1)[0]!;
  const count = (delimiter: string) => header.split(delimiter).length;
  const delimiter = [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
  return { encoding, delimiter };
}

function findColumn(file: string, header: string[], wanted: string): number {
  const at = header.indexOf(wanted);
  const base = path.basename(file);
  if (at >= 0 && header.indexOf(wanted, at + 1) >= 0)
    throw new LeafError("config", `${base} has two columns "${wanted}".`, { file, line: 1 });
  if (at >= 0) return at;
  const named = header.filter((name) => name !== "");
  const shown = named.slice(0, 30).map((name) => `"${name}"`);
  const nearest =
    named.length > 0
      ? closest(
          wanted.toLowerCase(),
          named.map((name) => name.toLowerCase()),
        )
      : undefined;
  const near = named.find((name) => name.toLowerCase() === nearest);
  const close =
    near !== undefined &&
    distance(wanted.toLowerCase(), near.toLowerCase()) <= Math.max(2, wanted.length / 3);
  throw new LeafError(
    "config",
    `${base} has no column "${wanted}"; it has ${shown.join(", ")}${named.length > shown.length ? ", …" : ""}.`,
    { file, line: 1, remedy: close ? `Did you mean "${near}"?` : "Name one of these columns in the config." },
  );
}

function explainCsvError(error: unknown, file: string): unknown {
  if (!(error instanceof CsvError)) return explainFileSystemError(error, "read", file);
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
