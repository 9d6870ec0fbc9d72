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
