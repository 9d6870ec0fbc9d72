/**
 * What a row and a cell of CSV are, for all that reads and all that edits: rows end at LF, CRLF or CR, each of which may stand in
 * one file; a line of blanks is no row; blanks around a cell are not of it; a cell that begins with a quote ends at the next
 * single one, and may hold line breaks. A quote elsewhere is a character as any other.
 */

/** Where a cell stands in the text, quotes and blanks included, and what it says. */
export interface CsvCell {
  start: number;
  end: number;
  value: string;
}

/** `open`: a quote is not closed before the text ends; `tail`: text follows a closing quote. */
export type CsvFault = "open" | "tail";

export interface CsvRow {
  start: number;
  /** Before its line break. */
  end: number;
  /** After its line break. */
  next: number;
  /** None in a line of blanks. */
  cells: CsvCell[];
  /** Line breaks inside its quotes. */
  breaks: number;
  fault?: CsvFault;
}

const lineBreak = /\r\n|\n|\r/g;
const [tab, lf, cr, space, quote] = [0x09, 0x0a, 0x0d, 0x20, 0x22];

const delimiters = [",", ";", "\t"] as const;

/** The delimiter that makes the most cells of the first row that is not blank. */
export function delimiterOf(text: string): string {
  const count = (delimiter: string) => {
    for (let at = text.startsWith("\ufeff") ? 1 : 0; at < text.length; ) {
      const row = scanRow(text, at, delimiter, true)!;
      if (row.cells.length > 0) return row.cells.length;
      at = row.next;
    }
    return 0;
  };
  return delimiters.reduce<string>((best, next) => (count(next) > count(best) ? next : best), ",");
}

/** Titles, notes and comments may stand above the names of the columns, as in a workbook. */
const rowsAbove = 20;

/**
 * Where the row of names begins, and how many rows are above it: those with words in the first cell alone (a title, `sep=;`) and comments
 * behind `#`, where a row comes after them that has as many cells as the one below it. Else it is the first row.
 */
export function headerOf(text: string): { at: number; above: number } {
  const first = text.startsWith("\ufeff") ? 1 : 0;
  let above = 0;
  for (let at = first; at < text.length && above <= rowsAbove; ) {
    const delimiter = delimiterOf(text.slice(at));
    const row = scanRow(text, at, delimiter, true)!;
    const filled = row.cells.filter(({ value }) => value !== "").length;
    if (row.cells.length > 0) {
      const next = cellsAfter(text, row.next, delimiter);
      const isTitle = filled < 2 && row.cells[0]!.value !== "";
      if (!isTitle && (next === undefined || next === row.cells.length)) return { at, above };
      if (above === 0 && !isTitle && !/^\s*#/.test(text.slice(at, row.end))) break;
      above++;
    }
    at = row.next;
  }
  return { at: first, above: 0 };
}

/** How many cells the next row has that is not blank. */
function cellsAfter(text: string, from: number, delimiter: string): number | undefined {
  for (let at = from; at < text.length; ) {
    const row = scanRow(text, at, delimiter, true)!;
    if (row.cells.length > 0) return row.cells.length;
    at = row.next;
  }
  return undefined;
}

/**
 * The row that begins at a place of the text. Undefined where it may go on beyond the text; `whole`: the text ends where the
 * file does.
 */
export function scanRow(text: string, start: number, delimiter: string, whole: boolean): CsvRow | undefined {
  const row: CsvRow = { start, end: start, next: start, cells: [], breaks: 0 };
  for (let at = start; ; ) {
    const cell = scanCell(text, at, delimiter.charCodeAt(0), row, whole);
    if (!cell) return undefined;
    row.cells.push(cell);
    at = cell.end;
    if (at === text.length) {
      if (!whole) return undefined;
    } else if (text[at] === delimiter) {
      at++;
      continue;
    }
    const isReturn = text.charCodeAt(at) === cr;
    // The line feed of a CRLF may be the first character of what is to come.
    if (isReturn && at + 1 === text.length && !whole) return undefined;
    row.end = at;
    row.next = at === text.length ? at : isReturn && text.charCodeAt(at + 1) === lf ? at + 2 : at + 1;
    if (row.cells.length === 1 && text.slice(start, at).trim() === "") row.cells = [];
    return row;
  }
}

function scanCell(
  text: string,
  start: number,
  delimiter: number,
  row: CsvRow,
  whole: boolean,
): CsvCell | undefined {
  let at = start;
  for (let char = text.charCodeAt(at); isBlank(char) && char !== delimiter; ) char = text.charCodeAt(++at);
  if (text.charCodeAt(at) !== quote) {
    const end = endOfPlain(text, at, delimiter);
    return { start, end, value: text.slice(start, end).trim() };
  }
  const opened = at + 1;
  let close = opened - 2;
  do close = text.indexOf('"', close + 2);
  while (close >= 0 && text.charCodeAt(close + 1) === quote);
  if (close < 0 || close + 1 === text.length) {
    if (!whole) return undefined;
    if (close < 0) row.fault ??= "open";
  }
  const inside = text.slice(opened, close < 0 ? text.length : close);
  row.breaks += inside.match(lineBreak)?.length ?? 0;
  const value = inside.replaceAll('""', '"');
  if (close < 0) return { start, end: text.length, value };
  const end = endOfPlain(text, close + 1, delimiter);
  if (text.slice(close + 1, end).trim() !== "") row.fault ??= "tail";
  return { start, end, value };
}

function isBlank(char: number): boolean {
  return char === space || char === tab;
}

function endOfPlain(text: string, from: number, delimiter: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === delimiter || char === lf || char === cr) break;
  }
  return at;
}

/** A cell as it is written: in quotes where it must be, or `always`. */
export function writtenCell(value: string, delimiter: string, always = false): string {
  const needed = always || value.includes(delimiter) || /["\r\n]|^\s|\s$/.test(value);
  return needed ? `"${value.replaceAll('"', '""')}"` : value;
}
