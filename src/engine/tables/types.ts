export interface TableRow {
  /** Where the row stands, 1-based: the line it ends on in a text, the row of a sheet, else its place among the rows. */
  line: number;
  /** The cells of the columns that were asked for, as text; empty where the row has none. */
  cells: string[];
  /** Why the row cannot be trusted, a sentence. */
  fault?: string;
}

/** A file of rows under named columns, whatever its container. */
export interface Table {
  /** As the file writes them; a spreadsheet may name one twice. */
  columns: string[];
  /** Line of the names. */
  headerLine: number;
  /** Whether "3,5" may be a number: a comma does not separate cells. */
  decimalComma: boolean;
  /**
   * Streams the rows, some at a time, where the container can; `at` are places in `columns`. In batches, since a promise for
   * each of a million rows would take longer than all the rest.
   */
  batches(at: readonly number[], signal?: AbortSignal): AsyncIterable<TableRow[]>;
}

export interface TableOptions {
  /** Tells the columns that are meant, where a workbook has several sheets and titles above its table. */
  prefer?: (columns: readonly string[]) => boolean;
  signal?: AbortSignal;
}
