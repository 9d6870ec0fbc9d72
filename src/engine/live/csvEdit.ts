/** Where a cell stands in the text, quotes included, and what it says. */
export interface CsvCell {
  start: number;
  end: number;
  value: string;
}

export interface CsvRecord {
  start: number;
  /** Before its line break. */
  end: number;
  /** After its line break. */
  next: number;
  cells: CsvCell[];
}

/** A CSV file as text, with the place of every cell, so that one can change and all others stay as they are. */
export interface CsvText {
  text: string;
  delimiter: string;
  lineEnd: string;
  header: CsvCell[];
  records: CsvRecord[];
}

/** Reads the text of a CSV file as `readImageCsv` does; empty lines are no records. Undefined for one without a header. */
export function scanCsv(text: string): CsvText | undefined {
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const delimiter = delimiterOf(text.slice(start));
  const records: CsvRecord[] = [];
  for (let at = start; at < text.length; ) {
    const record = scanRecord(text, at, delimiter);
    if (record.cells.length > 1 || record.end > record.start) records.push(record);
    at = record.next;
  }
  const [header, ...rest] = records;
  if (!header) return undefined;
  const lineEnd = text.slice(header.end, header.next) || "\n";
  return { text, delimiter, lineEnd, header: header.cells, records: rest };
}

function delimiterOf(text: string): string {
  const header = text.replace(/"(?:[^"]|"")*"/g, "").split(/\r\n|\n|\r/, 1)[0]!;
  const count = (delimiter: string) => header.split(delimiter).length;
  return [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
}

function scanRecord(text: string, start: number, delimiter: string): CsvRecord {
  const cells: CsvCell[] = [];
  for (let at = start; ; ) {
    const cell = scanCell(text, at, delimiter);
    cells.push(cell);
    at = cell.end;
    if (text[at] === delimiter) {
      at++;
      continue;
    }
    const lineBreak = text.startsWith("\r\n", at) ? 2 : at < text.length ? 1 : 0;
    return { start, end: at, next: at + lineBreak, cells };
  }
}

function scanCell(text: string, start: number, delimiter: string): CsvCell {
  let at = start;
  while (isBlank(text[at]) && text[at] !== delimiter) at++;
  if (text[at] === '"') {
    const opened = at + 1;
    for (at = opened; at < text.length; at++) {
      if (text[at] !== '"') continue;
      if (text[at + 1] !== '"') break;
      at++;
    }
    const value = text.slice(opened, at).replaceAll('""', '"');
    at = endOfPlain(text, Math.min(at + 1, text.length), delimiter);
    return { start, end: at, value };
  }
  const end = endOfPlain(text, at, delimiter);
  return { start, end, value: text.slice(start, end).trim() };
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t";
}

function endOfPlain(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at++;
  return at;
}

/** The text with another value in one cell of a record; cells that the record lacks before it are made. */
export function withCell(csv: CsvText, record: CsvRecord, column: number, value: string): string {
  const { text, delimiter } = csv;
  const cell = record.cells[column];
  const quoted = quote(
    value,
    delimiter,
    cell && text.slice(cell.start, cell.end).trimStart().startsWith('"'),
  );
  if (cell) return withRaw(csv, cell, quoted);
  const missing = delimiter.repeat(column - record.cells.length + 1);
  return text.slice(0, record.end) + missing + quoted + text.slice(record.end);
}

/** The text with other characters in the place of a cell, as they are. */
export function withRaw({ text }: CsvText, { start, end }: CsvCell, raw: string): string {
  return text.slice(0, start) + raw + text.slice(end);
}

/** The text with one more record at its end; a file without a line break at its end stays one. */
export function withRecord(csv: CsvText, values: readonly string[]): string {
  const { text, delimiter, lineEnd } = csv;
  const line = values.map((value) => quote(value, delimiter)).join(delimiter);
  return /[\r\n]$/.test(text) ? text + line + lineEnd : text + lineEnd + line;
}

/** The text without a record: the inverse of `withRecord` for the last one. */
export function withoutRecord({ text }: CsvText, { start, end, next }: CsvRecord): string {
  if (end < next || start === 0) return text.slice(0, start) + text.slice(next);
  return text.slice(0, start).replace(/(\r\n|\n|\r)$/, "");
}

function quote(value: string, delimiter: string, always = false): string {
  const needed = always || value.includes(delimiter) || /["\r\n]|^\s|\s$/.test(value);
  return needed ? `"${value.replaceAll('"', '""')}"` : value;
}
