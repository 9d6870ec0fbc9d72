import { html, nothing } from "lit";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";
import { count } from "../ui/format.ts";
import { type GalleryFilter, galleryFilters, isFiltered } from "./filters.ts";

/** Heights of a cell that can be chosen, pixels. */
const cells = [96, 128, 168, 220, 300];
export const usualCell = 168;

/** The next smaller or larger size. */
export function resized(cell: number, by: -1 | 1): number {
  return cells[Math.max(0, Math.min(cells.length - 1, cells.indexOf(cell) + by))] ?? usualCell;
}

/** Filter, order, how many, and the size of the pictures. */
export function galleryBar(
  host: Host,
  project: ProjectSnapshot,
  filter: GalleryFilter,
  total: number | null,
  does: { filter(filter: GalleryFilter): void; resize(by: -1 | 1): void },
) {
  const text = host.text;
  return html`<div class="bar" role="toolbar" aria-label=${text("Filter and order")}>
    ${galleryFilters(host, filter, project.scorer, does.filter)}
    <span class="total figure muted">${totalWords(host, project, filter, total)}</span>
    <span class="sizes">
      <button class="icon" title=${text("Smaller pictures (-)")} aria-label=${text("Smaller pictures")} @click=${() => does.resize(-1)}><leaf-icon name="zoom-out"></leaf-icon></button>
      <button class="icon" title=${text("Larger pictures (+)")} aria-label=${text("Larger pictures")} @click=${() => does.resize(1)}><leaf-icon name="zoom-in"></leaf-icon></button>
    </span>
  </div>`;
}

function totalWords(
  { text }: Host,
  { images, scored }: ProjectSnapshot,
  filter: GalleryFilter,
  total: number | null,
) {
  if (total === null) return nothing;
  const many =
    isFiltered(filter) && images
      ? text("{0} of {1} images", count(total), count(images.usable))
      : text("{0} images", count(total));
  const busy = scored.busy && scored.done < scored.total;
  return busy ? `${many} · ${text("scoring {0} of {1}", count(scored.done), count(scored.total))}` : many;
}
