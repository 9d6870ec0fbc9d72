import type { ImageRow } from "../../src/protocol/images.ts";

/** Images chosen for an action, by hash: they stay chosen when scores and with them places change. */
export interface Selection {
  rows: ReadonlyMap<string, ImageRow>;
  /** Index from which a range is extended. */
  anchor: number;
}

export const nothingSelected: Selection = { rows: new Map(), anchor: 0 };

export function toggled({ rows }: Selection, row: ImageRow, index: number): Selection {
  const next = new Map(rows);
  if (!next.delete(row.hash)) next.set(row.hash, row);
  return { rows: next, anchor: index };
}

/** A range takes the place of what was selected; it stays anchored. */
export function selecting(rows: readonly ImageRow[], anchor: number): Selection {
  return { rows: new Map(rows.map((row) => [row.hash, row])), anchor };
}
