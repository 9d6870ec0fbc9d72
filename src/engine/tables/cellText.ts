/** A value of JSON, a workbook or Parquet as a CSV file would write it; lists and objects are no cells. */
export function cellText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.trim();
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return value instanceof Date ? value.toISOString() : "";
  }
}

const longest = 200;

/** A cell in a sentence, which stays one line. */
export function quotedCell(text: string): string {
  return `"${oneLine(text)}"`;
}

/** A foreign text as part of a sentence. */
export function oneLine(text: string): string {
  const line = text.replace(/\s*[\r\n\v\f\u0085\u2028\u2029]+\s*/g, " ");
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
