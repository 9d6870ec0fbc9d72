export type Cell = string | number | null;

/** What a chart shows, as a table: for screen readers, and for copying. */
export interface ChartTable {
  columns: string[];
  rows: Cell[][];
}

/** RFC 4180, with a line feed after each line; a number keeps its full precision. */
export function toCsv({ columns, rows }: ChartTable): string {
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}

function field(value: Cell): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
