import { type CsvCell, type CsvRow, delimiterOf, headerOf, scanRow, writtenCell } from "./csvRows.ts";

/** A CSV file as text, with the place of every cell, so that one can change and all others stay as they are. */
export interface CsvText {
  text: string;
  delimiter: string;
  lineEnd: string;
  header: CsvCell[];
  records: CsvRow[];
  /** Of a quote that is never closed: its row, and the line on which that begins. */
  unclosed?: { row: CsvRow; line: number };
}

/** Reads the text of a CSV file; undefined for one without a header. */
export function scanCsv(text: string): CsvText | undefined {
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const head = text.slice(0, 65_536);
  const { at: headerAt, above } = headerOf(head);
  const delimiter = delimiterOf(head.slice(headerAt));
  const rows: CsvRow[] = [];
  let line = 1;
  let unclosed: CsvText["unclosed"];
  for (let at = start; at < text.length; ) {
    const row = scanRow(text, at, delimiter, true)!;
    if (row.fault === "open") unclosed = { row, line };
    if (row.cells.length > 0) rows.push(row);
    line += row.breaks + 1;
    at = row.next;
  }
  const [header, ...records] = rows.slice(above);
  if (!header) return undefined;
  const lineEnd = text.slice(header.end, header.next) || "\n";
  return { text, delimiter, lineEnd, header: header.cells, records, unclosed };
}

/** The text with another value in one cell of a record; cells that the record lacks before it are made. */
export function withCell(csv: CsvText, record: CsvRow, column: number, value: string): string {
  const { text, delimiter } = csv;
  const cell = record.cells[column];
  const quoted = writtenCell(
    value,
    delimiter,
    cell && text.slice(cell.start, cell.end).trimStart().startsWith('"'),
  );
  if (cell) return withRaw(csv, cell, quoted);
  const missing = delimiter.repeat(column - record.cells.length + 1);
  return text.slice(0, record.end) + missing + quoted + text.slice(record.end);
}

/** The text without the last cells of a record, so that it has as many as it had: the inverse of `withCell` where one lacked. */
export function withoutCells({ text }: CsvText, record: CsvRow, cells: number): string {
  return text.slice(0, record.cells[cells - 1]!.end) + text.slice(record.end);
}

/** The text with other characters in the place of a cell, as they are. */
export function withRaw({ text }: CsvText, { start, end }: CsvCell, raw: string): string {
  return text.slice(0, start) + raw + text.slice(end);
}

/** The text with one more record at its end; a file without a line break at its end stays one. */
export function withRecord(csv: CsvText, values: readonly string[]): string {
  return withRecords(csv, [values]);
}

/** The same with several. */
export function withRecords(csv: CsvText, rows: readonly (readonly string[])[]): string {
  const { text, delimiter, lineEnd } = csv;
  const lines = rows.map((values) => values.map((value) => writtenCell(value, delimiter)).join(delimiter));
  return /[\r\n]$/.test(text)
    ? text + lines.map((line) => line + lineEnd).join("")
    : text + lines.map((line) => lineEnd + line).join("");
}

/** The text without a record: the inverse of `withRecord` for the last one. */
export function withoutRecord({ text }: CsvText, { start, end, next }: CsvRow): string {
  if (end < next || start === 0) return text.slice(0, start) + text.slice(next);
  return text.slice(0, start).replace(/(\r\n|\n|\r)$/, "");
}
