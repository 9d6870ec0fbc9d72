import { html, nothing } from "lit";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { count } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { actionButton } from "../ui/actions.ts";
import type { GalleryActions } from "./actions.ts";
import { type GalleryFilter, galleryFilters, isFiltered } from "./filters.ts";

/** Heights of a cell that can be chosen, pixels. */
const cells = [96, 128, 168, 220, 300];
export const usualCell = 168;

/** The next smaller or larger size. */
export function resized(cell: number, by: -1 | 1): number {
  return cells[Math.max(0, Math.min(cells.length - 1, cells.indexOf(cell) + by))] ?? usualCell;
}

/** Filter, order, how many, and the size of the pictures. */
export function galleryToolbar(
  host: Host,
  project: ProjectSnapshot,
  filter: GalleryFilter,
  total: number | null,
  changed: (filter: GalleryFilter) => void,
  { search, smaller, larger }: GalleryActions,
) {
  const text = host.text;
  return html`<div class="bar" role="toolbar" aria-label=${text("Filter and order")}>
    ${galleryFilters(host, filter, project.scorer, search, changed)}
    <span class="total figure muted">${totalWords(host, project, filter, total)}</span>
    <span class="sizes">${[smaller, larger].map((action) => actionButton(host, action, { class: "icon" }))}</span>
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
