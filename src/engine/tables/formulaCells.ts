/** How a cell begins that a spreadsheet would run, its full-width forms among them (OWASP, CSV injection). */
const begins = /^'*[=+\-@\t\r\n＝＋－＠]/;
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function isFormula(text: string): boolean {
  return begins.test(text) && !number.test(text.replace(/^'+/, ""));
}

/** A text as it goes into a CSV file: what would be run as a formula has a `'` before it, which `plainCell` takes away. */
export function harmlessCell(text: string): string {
  return isFormula(text) ? `'${text}` : text;
}

/** The inverse of `harmlessCell`. */
export function plainCell(cell: string): string {
  return cell.startsWith("'") && isFormula(cell) ? cell.slice(1) : cell;
}
