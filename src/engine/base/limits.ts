/**
 * How much of a file that others made is read, so that no file can take all memory. Each reader tells in one sentence which
 * limit was met and what to do.
 */
export const limits = {
  /** Bytes of a JSON file, which is read whole. */
  jsonBytes: 256e6,
  /** Values in it, by its commas and brackets: `{}` takes 20 times as much memory as it has characters. */
  jsonValues: 16e6,
  /** Characters of one line of JSON Lines. */
  jsonLine: 16e6,
  /** Characters of one row of CSV, the line breaks inside its quotes included. */
  csvRow: 4e6,
  /** Bytes of a CSV file that gains ratings: it is edited as a whole. */
  csvEdit: 64e6,
  /** Bytes of an Excel workbook, of all that it unpacks to, and cells of the area that a sheet spans. */
  xlsxBytes: 32e6,
  xlsxUnpacked: 64e6,
  xlsxArea: 32e6,
  /** Bytes of what a Parquet file says of itself, and of one column of a row group once unpacked; rows of a group. */
  parquetFooter: 64e6,
  parquetPart: 1e9,
  parquetGroupRows: 20e6,
} as const;

/** "256 MB", for a sentence. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
