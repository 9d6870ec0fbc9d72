import { html, LitElement, nothing, type PropertyValues } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { repeat } from "lit/directives/repeat.js";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { ScorerInfo } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";
import { outOfDistributionMark, outOfDistributionStyles } from "../pictures/outOfDistribution.ts";
import type { Pages } from "../pictures/pages.ts";
import { followPictures, type Pictures } from "../pictures/pictures.ts";
import { scrollTo, windowOf } from "../pictures/windowing.ts";
import { setStyle } from "../ui/setStyle.ts";
import { baseStyles } from "../ui/styles.ts";
import { gridStyles } from "./gridStyles.ts";
import { badgeStyles, scoreBadge } from "./scoreBadge.ts";
import type { Pick } from "./selection.ts";

/**
 * Images in lines; only those in sight exist. Fires `pick` (detail: Pick), `open` (detail: index) and `place` (detail: the first
 * index in sight).
 */
export class ImageGrid extends LitElement {
  static override properties = {
    host: { attribute: false },
    pages: { attribute: false },
    pictures: { attribute: false },
    scorer: { attribute: false },
    score: { attribute: false },
    note: { attribute: false },
    selected: { attribute: false },
    current: { type: Number },
    cell: { type: Number },
    revision: { type: Number },
  };
  static override styles = [baseStyles, badgeStyles, outOfDistributionStyles, gridStyles];

  declare host: Host;
  declare pages: Pages<ImageRow>;
  declare pictures: Pictures;
  declare scorer: ScorerInfo | null;
  /** What the scorer says of an image. */
  declare score: (row: ImageRow) => number | null;
  /** A figure beside the score: what the images are sorted by. */
  declare note: (row: ImageRow) => string | null;
  declare selected: ReadonlySet<string>;
  /** Index of the focused image. */
  declare current: number;
  /** Height of a cell, pixels. */
  declare cell: number;
  /** Grows with each change of the pages. */
  declare revision: number;
  #room = { width: 0, height: 0 };
  #columns = 1;
  #scrolled = 0;
  /** What is to be in sight after the next drawing: the first line, and the focused image if it was. */
  #wanted: { top: number; focused?: number } | undefined;
  #watch = new ResizeObserver(([entry]) => {
    if (!entry) return;
    const { width, height } = entry.contentRect;
    this.#keepPlace(this.cell, () => {
      this.#room = { width, height };
    });
    this.requestUpdate();
  });

  constructor() {
    super();
    followPictures(this);
    this.addEventListener("scroll", () => {
      this.#scrolled = this.scrollTop;
      this.requestUpdate();
      const { first } = windowOf(this.#lines, this.#scrolled, this.#room.height, 0);
      this.#told("place", first * this.#columns);
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#watch.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#watch.disconnect();
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>(".all")?.focus({ preventScroll: true });
  }

  /** Puts the line of an image at the top. */
  startAt(index: number): void {
    this.#wanted = { top: index };
    this.requestUpdate();
  }

  /** Brings an image into sight with the least movement. */
  show(index: number, middle = false): void {
    const line = Math.floor(index / this.#columns);
    this.scrollTop = scrollTo(this.#lines, line, this.scrollTop, this.#room.height, middle);
  }

  #columnsFor(width: number): number {
    const fitting = Math.floor(width / (this.cell * 1.05));
    return Math.max(width < 240 ? 1 : 2, fitting);
  }

  get #lines() {
    return { count: Math.ceil((this.pages.total ?? 0) / this.#columns), size: this.cell };
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("cell") as number | undefined;
    if (before !== undefined) this.#keepPlace(before, () => {});
  }

  protected override render() {
    const { pages, host } = this;
    const { height, first, last, offset } = windowOf(this.#lines, this.#scrolled, this.#room.height, 1);
    const total = pages.total ?? 0;
    const columns = this.#columns;
    const end = Math.min(total, (last + 1) * columns) - 1;
    pages.look(first * columns, end);
    const rows = Array.from({ length: Math.max(0, end - first * columns + 1) }, (_, at) =>
      pages.at(first * columns + at),
    );
    this.pictures.want(rows.filter((row) => row !== undefined));
    const inSight = this.current >= first * columns && this.current <= end;
    const lines = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
    return html`<div
      class="all"
      role="grid"
      tabindex="0"
      aria-label=${host.text("Images")}
      aria-multiselectable="true"
      aria-rowcount=${this.#lines.count}
      aria-colcount=${columns}
      aria-activedescendant=${inSight ? `cell-${this.current}` : nothing}
      ${setStyle({ height: `${height}px`, "min-height": "100%", "--columns": String(columns), "--cell": `${this.cell}px` })}
      @keydown=${this.#key}
      @click=${this.#click}
      @dblclick=${(event: Event) => this.#told("open", indexOf(event))}
    >
      ${repeat(
        lines,
        (line) => line,
        (line) => html`<div class="line" role="row" aria-rowindex=${line + 1}
          ${setStyle({ transform: `translateY(${offset + (line - first) * this.cell}px)` })}>
          ${Array.from({ length: Math.min(columns, total - line * columns) }, (_, at) => this.#cell(line * columns + at))}
        </div>`,
      )}
    </div>`;
  }

  #cell(index: number) {
    const row = this.pages.at(index);
    const focused = index === this.current ? "focused" : "";
    const id = `cell-${index}`;
    if (!row)
      return html`<div class="cell ${focused}" role="gridcell" id=${id} data-index=${index}><div class="picture"><div class="blank"></div></div><div class="label"></div></div>`;
    const { host, scorer } = this;
    const note = this.note(row);
    const selected = this.selected.has(row.hash);
    const name = row.path.slice(row.path.lastIndexOf("/") + 1);
    return html`<div
      class="cell ${focused}"
      role="gridcell"
      id=${id}
      data-index=${index}
      aria-selected=${selected}
      title=${row.path}
    >
      <div class="picture">${keyed(row.hash, this.#picture(row))}</div>
      <div class="label">${scoreBadge(host, this.score(row), scorer)}${scorer?.kind === "student" ? outOfDistributionMark(host, row, "icon") : nothing}${note ? html`<span class="figure">${note}</span>` : nothing}<span class="name">${name}</span></div>
      ${selected ? html`<span class="tick" aria-hidden="true">✓</span>` : nothing}
    </div>`;
  }

  #picture(row: ImageRow) {
    const address = this.pictures.small(row);
    if (address === null) return html`<div class="unreadable">${this.host.text("cannot be shown")}</div>`;
    if (address === undefined) return html`<div class="blank"></div>`;
    return html`<img src=${address} alt="" decoding="async" draggable="false" @error=${() => this.pictures.failed(row, "small")} />`;
  }

  protected override updated(): void {
    const wanted = this.#wanted;
    if (!wanted || this.pages.total === null || this.#room.height === 0) return;
    this.#wanted = undefined;
    const line = Math.floor(wanted.top / this.#columns);
    // Past the end first, so that the line ends up at the top.
    this.scrollTop = scrollTo(this.#lines, line, Number.MAX_SAFE_INTEGER, this.#room.height);
    if (wanted.focused !== undefined) this.show(wanted.focused);
  }

  /** Another size of cells or of the grid makes other lines: the same images stay in sight. */
  #keepPlace(cell: number, change: () => void): void {
    const lines = { count: this.#lines.count, size: cell };
    const { first, last } = windowOf(lines, this.#scrolled, this.#room.height, 0);
    const top = first * this.#columns;
    const inSight = this.current >= top && this.current < (last + 1) * this.#columns;
    const before = this.#columns;
    change();
    if (this.#room.width === 0) return;
    this.#columns = this.#columnsFor(this.#room.width);
    if (this.#scrolled === 0 || (before === this.#columns && cell === this.cell)) return;
    this.#wanted ??= { top, ...(inSight ? { focused: this.current } : {}) };
  }

  #told(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #click(event: MouseEvent): void {
    const index = indexOf(event);
    if (index === undefined) return;
    const how = event.shiftKey ? "extend" : event.ctrlKey || event.metaKey ? "toggle" : "only";
    this.#told("pick", { index, how } satisfies Pick);
  }

  #key(event: KeyboardEvent): void {
    const total = this.pages.total ?? 0;
    if (total === 0 || event.altKey) return;
    const page = Math.max(1, Math.floor(this.#room.height / this.cell)) * this.#columns;
    const line = this.current - (this.current % this.#columns);
    const whole = event.ctrlKey || event.metaKey;
    const to: Record<string, number> = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      ArrowUp: this.current - this.#columns,
      ArrowDown: this.current + this.#columns,
      PageUp: this.current - page,
      PageDown: this.current + page,
      Home: whole ? 0 : line,
      End: whole ? total - 1 : line + this.#columns - 1,
    };
    const next = to[event.key];
    if (next !== undefined) {
      const index = Math.max(0, Math.min(total - 1, next));
      this.#told("pick", { index, how: event.shiftKey ? "extend" : "move" } satisfies Pick);
      this.show(index);
    } else if (event.key === " ") {
      this.#told("pick", { index: this.current, how: "toggle" } satisfies Pick);
    } else if (event.key === "Enter") this.#told("open", this.current);
    else return;
    event.preventDefault();
  }
}

function indexOf(event: Event): number | undefined {
  const cell = event.composedPath().find((one) => one instanceof HTMLElement && one.dataset.index);
  return cell ? Number((cell as HTMLElement).dataset.index) : undefined;
}

customElements.define("leaf-image-grid", ImageGrid);
declare global {
  interface HTMLElementTagNameMap {
    "leaf-image-grid": ImageGrid;
  }
}
