import type { ImageRow } from "../../src/protocol/images.ts";
import type { Pages } from "../pictures/pages.ts";

/** How an image was picked: moved to, chosen alone, added or taken out, or as the end of a range. */
export type Pick = { index: number; how: "move" | "only" | "toggle" | "extend" };

/** Images chosen for an action, by hash: they stay chosen when scores and with them places change. */
export interface Selection {
  rows: ReadonlyMap<string, ImageRow>;
  /** Index from which a range is extended. */
  anchor: number;
}

export const nothingSelected: Selection = { rows: new Map(), anchor: 0 };

/** What is selected after a pick. A range takes the place of what was selected; one not yet here is fetched. */
export async function picked(
  { rows, anchor }: Selection,
  { index, how }: Pick,
  pages: Pages<ImageRow>,
): Promise<Selection> {
  if (how === "move") return { rows, anchor: index };
  if (how === "only") return { rows: new Map(), anchor: index };
  if (how === "toggle") {
    const row = pages.at(index);
    const next = new Map(rows);
    if (row && !next.delete(row.hash)) next.set(row.hash, row);
    return { rows: next, anchor: index };
  }
  return selectRange(pages, Math.min(anchor, index), Math.max(anchor, index), anchor);
}

export async function selectRange(
  pages: Pages<ImageRow>,
  first: number,
  last: number,
  anchor: number,
): Promise<Selection> {
  const here: ImageRow[] = [];
  for (let index = first; index <= last; index++) {
    const row = pages.at(index);
    if (!row) break;
    here.push(row);
  }
  const rows = here.length === last - first + 1 ? here : await pages.between(first, last);
  return { rows: new Map(rows.map((row) => [row.hash, row])), anchor };
}
