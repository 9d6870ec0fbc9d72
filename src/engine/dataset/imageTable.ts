import type { Text } from "../../protocol/text.ts";
import { asTemplate, say } from "../../words/text.ts";
import { factsOf, type MosFormat } from "../mos/formats.ts";
import { findColumn } from "../tables/findColumn.ts";
import { openTable } from "../tables/table.ts";
import type { Table, TableRow } from "../tables/types.ts";
import { ImageMatcher, type NameIndex } from "./match.ts";

/** `malformed`: what its cells are is not sure. */
export type RowProblemKind = "noImage" | "ambiguous" | "unreadable" | "noName" | "malformed";

export interface ImageRow<Column extends string> {
  /** 1-based: the line of a text on which the row ends, the row of a sheet, else its place among the rows. */
  line: number;
  /** What the file calls the image. */
  name: string;
  hash: string;
  values: Record<Column, string>;
  /** Whether "3,5" may be a number. */
  decimalComma: boolean;
}

export interface ImageTableOptions<Column extends string> {
  /** Path of a CSV, TSV, Excel, JSON, JSON Lines or Parquet file. */
  file: string;
  /** Layout of the file, as in the config: it may give columns that the file does not have. */
  format?: string;
  /** Column with the image's name. */
  image: string;
  columns: readonly Column[] | ((own: readonly string[]) => readonly Column[]);
  /** Columns that may be missing: they are empty then. */
  optional?: readonly Column[];
  index: NameIndex;
  signal?: AbortSignal;
  onRow(row: ImageRow<Column>): void;
  onProblem(kind: RowProblemKind, line: number, message: Text): void;
}

/**
 * Streams a file whose rows are about images. Rows that match no image, or several, are reported, never guessed. Throws a
 * LeafError `config` for a missing file or column, `input` for a damaged file.
 */
export async function readImageTable<Column extends string>(
  options: ImageTableOptions<Column>,
): Promise<void> {
  const { file, signal } = options;
  const format = factsOf(options.format);
  const optional: readonly string[] = options.optional ?? [];
  const columnsOf = (own: readonly string[]) =>
    typeof options.columns === "function" ? options.columns(own) : options.columns;
  const table = await openTable(file, {
    signal,
    prefer: (own) =>
      hasAll(own, [options.image, ...columnsOf(own).filter((name) => !optional.includes(name))], format),
  });
  const columns = columnsOf(table.columns);
  const wanted = [options.image, ...columns];
  const cells = cellReader(file, table, format, wanted, optional);
  const matcher = new ImageMatcher(options.index);
  const take = ({ line, cells: read, fault }: TableRow) => {
    if (fault !== undefined) return options.onProblem("malformed", line, asTemplate(fault));
    const [name, ...given] = cells.of(read) as [string, ...string[]];
    if (name === "") return options.onProblem("noName", line, say`The row names no image.`);
    const match = matcher.match(name);
    if ("problem" in match) return options.onProblem(match.problem, line, match.message);
    const values = {} as Record<Column, string>;
    for (const [i, column] of columns.entries()) values[column] = given[i]!;
    options.onRow({ line, name, hash: match.hash, values, decimalComma: table.decimalComma });
  };
  for await (const batch of table.batches(cells.at, signal)) for (const row of batch) take(row);
}

/** Whether the columns, with those that a format makes of them, are all there. */
export function hasAll(columns: readonly string[], wanted: readonly string[], format?: MosFormat): boolean {
  return wanted.every((name) =>
    (format?.derived?.[name]?.from ?? [name]).every((one) => columns.includes(one)),
  );
}

/** The places to read, and how the wanted values come out of the cells that stood there. */
function cellReader(
  file: string,
  { columns, headerLine }: Table,
  format: MosFormat | undefined,
  wanted: readonly string[],
  optional: readonly string[],
): { at: number[]; of(cells: readonly string[]): string[] } {
  const at: number[] = [];
  const read = (column: string): number => {
    const place = findColumn(file, columns, column, headerLine);
    if (!at.includes(place)) at.push(place);
    return at.indexOf(place);
  };
  const values = wanted.map((name): ((cells: readonly string[]) => string) => {
    if (optional.includes(name) && !hasAll(columns, [name], format)) return () => "";
    const derived = format?.derived?.[name];
    if (derived) {
      const places = new Map(derived.from.map((column) => [column, read(column)]));
      return (cells) => derived.value((column) => cells[places.get(column)!]!);
    }
    const place = read(name);
    return (cells) => cells[place]!;
  });
  return { at, of: (cells) => values.map((value) => value(cells)) };
}
