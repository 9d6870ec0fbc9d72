import { harmlessCell } from "./formulaCells.ts";

/**
 * One line of CSV (RFC 4180): cells with a separator, quote or line break are quoted; a text that a spreadsheet would run as a
 * formula is neutralised, a number stays as it is.
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  const quoted = cells.map((cell) => {
    const text = cell === null ? "" : typeof cell === "string" ? harmlessCell(cell) : String(cell);
    // Also at the separators of other countries' spreadsheets: what stands behind one would be a cell of its own.
    return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(",")}\n`;
}

export function toCsv(header: string[], rows: Iterable<readonly (string | number | null)[]>): string {
  let text = csvLine(header);
  for (const row of rows) text += csvLine(row);
  return text;
}
