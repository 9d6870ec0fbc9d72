import { toCsv as rowsToCsv } from "../../src/engine/tables/csvText.ts";

export type Cell = string | number | null;

/** What a chart shows, as a table: for screen readers, and for copying. */
export interface ChartTable {
  columns: string[];
  rows: Cell[][];
}

/** As LEAF writes any CSV file; a number keeps its full precision. */
export function toCsv({ columns, rows }: ChartTable): string {
  return rowsToCsv(columns, rows);
}
