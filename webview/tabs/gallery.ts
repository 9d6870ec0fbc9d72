import { html, nothing, type PropertyValues } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import { listen } from "../feed.ts";
import { controlStyles } from "../images/controls.ts";
import { galleryActions } from "../images/galleryActions.ts";
import {
  allImages,
  type GalleryFilter,
  galleryFilters,
  isFiltered,
  queryOf,
} from "../images/galleryFilters.ts";
import { galleryLayout } from "../images/galleryLayout.ts";
import "../images/imageDetails.ts";
import type { ImageGrid, Pick } from "../images/imageGrid.ts";
import "../images/imageGrid.ts";
import { onKeys, takeFocus } from "../images/keys.ts";
import { createPages, type Pages } from "../images/pages.ts";
import { createPictures, type Pictures } from "../images/pictures.ts";
import { nothingSelected, type Selection, selecting, toggled } from "../images/selection.ts";
import "../ui/empty.ts";
import { count } from "../ui/format.ts";
import "../ui/icon.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { throttled } from "../ui/throttle.ts";
import { type Focus, Tab } from "./tab.ts";

interface Kept {
  filter: GalleryFilter;
  /** Index of the first image in sight. */
  top: number;
  current: number;
  cell: number;
}

const cells = [96, 128, 168, 220, 300];
const pageSize = 100;

/** All images with their scores: the worst, the best, the odd ones, and what to do with them. */
class Gallery extends Tab {
  static override properties = {
    ...Tab.properties,
    filter: { state: true },
    selection: { state: true },
    current: { state: true },
    cell: { state: true },
    asks: { state: true },
    failure: { state: true },
    said: { state: true },
    revision: { state: true },
  };
  static override styles = [baseStyles, controlStyles, galleryLayout];

  declare focusOn: Focus | undefined;
  declare filter: GalleryFilter;
  declare selection: Selection;
  declare current: number;
  declare cell: number;
  declare asks: boolean;
  declare failure: Failure | null;
  declare said: string;
  declare revision: number;
  #pages!: Pages<ImageRow>;
  /** Of a new filter, until its first answer is here: no blank screen at every letter that is typed. */
  #coming: Pages<ImageRow> | undefined;
  #pictures!: Pictures;
  #row: ImageRow | undefined;
  #top = 0;
  #stop: (() => void)[] = [];
  #refresh = throttled(500, () => this.#pages.refresh());
  #keepSoon = throttled(500, () => this.#keepPlace());
  #typed: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.filter = allImages;
    this.selection = nothingSelected;
    this.current = 0;
    this.cell = 168;
    this.asks = false;
    this.failure = null;
    this.said = "";
    this.revision = 0;
    this.tabIndex = -1;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = [
      listen(this.feed, "scoresChanged", () => this.#refresh.ask()),
      onKeys(this, (key, event) => this.#key(key, event)),
    ];
    if (this.hasUpdated) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stop) stop();
    this.#refresh.stop();
    this.#keepSoon.stop();
    clearTimeout(this.#typed);
    this.#coming?.close();
    this.#pages.close();
    this.#pictures.close();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("project") as typeof this.project | undefined;
    if (changed.has("project") && before?.config !== this.project.config) {
      const kept = this.kept as Partial<Kept> | undefined;
      this.filter = { ...allImages, ...kept?.filter };
      this.current = kept?.current ?? 0;
      this.cell = kept?.cell ?? 168;
      this.#top = kept?.top ?? 0;
      this.selection = nothingSelected;
      this.#open();
    } else if (before && before.scorer?.fingerprint !== this.project.scorer?.fingerprint) this.#open();
    else if (before && before.images?.usable !== this.project.images?.usable) this.#refresh.ask();
    if (changed.has("focusOn") && this.focusOn?.hash) void this.#goTo(this.focusOn.hash);
  }

  protected override firstUpdated(): void {
    if (this.#top > 0) this.#grid?.startAt(this.#top);
    takeFocus(this.#grid);
  }

  get #grid(): ImageGrid | null {
    return this.renderRoot.querySelector("leaf-image-grid");
  }

  #open(): void {
    this.#coming?.close();
    const { host } = this;
    const { config, scorer } = this.project;
    const query = queryOf(this.filter, scorer);
    const pages = createPages<ImageRow>({
      fetch: (offset, limit) => host.request("leaf/images", { config, query: { ...query, offset, limit } }),
      onChange: () => {
        if (this.#coming === pages) this.#show(pages);
        this.#changed();
      },
      onError: (error) => {
        this.failure = failureOf(error);
      },
      pageSize,
    });
    if (!this.#pictures) this.#pictures = createPictures(host, config, () => this.revision++);
    this.#pages ??= pages;
    if (this.#pages !== pages) this.#coming = pages;
    pages.look(this.#top, this.#top + 50);
  }

  #show(pages: Pages<ImageRow>): void {
    this.#pages.close();
    this.#pages = pages;
    this.#coming = undefined;
    this.#grid?.startAt(0);
  }

  #changed(): void {
    const { total } = this.#pages;
    const hash = this.#row?.hash;
    // The focused image stays the focused one, wherever its new score has put it.
    const at = hash ? this.#pages.find((row) => row.hash === hash) : -1;
    if (at >= 0) this.current = at;
    else if (total !== null) this.current = Math.max(0, Math.min(this.current, total - 1));
    this.#row = (at >= 0 || !hash ? this.#pages.at(this.current) : this.#row) ?? this.#row;
    this.revision++;
  }

  async #goTo(hash: string): Promise<void> {
    this.filter = allImages;
    this.#open();
    const pages = this.#coming ?? this.#pages;
    const { config, scorer } = this.project;
    const query = { ...queryOf(this.filter, scorer), around: hash, offset: 0, limit: pageSize };
    try {
      const page = await this.host.request("leaf/images", { config, query });
      const at = page.rows.findIndex((row) => row.hash === hash);
      if (at < 0) {
        this.said = this.host.text("This image is no longer in the dataset.");
        return;
      }
      const offset = page.offset ?? 0;
      pages.fill(offset, page);
      if (this.#pages !== pages) this.#show(pages);
      this.current = offset + at;
      this.#row = page.rows[at];
      this.revision++;
      await this.updateComplete;
      this.#grid?.startAt(this.current);
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  #setFilter(filter: GalleryFilter): void {
    const typed = filter.text !== this.filter.text;
    this.filter = filter;
    this.selection = nothingSelected;
    this.#top = 0;
    this.current = 0;
    this.#row = undefined;
    clearTimeout(this.#typed);
    this.#typed = setTimeout(() => this.#open(), typed ? 150 : 0);
    this.#keepSoon.ask();
  }

  #keepPlace(): void {
    this.keep({ filter: this.filter, top: this.#top, current: this.current, cell: this.cell } satisfies Kept);
  }

  async #pick({ index, how }: Pick): Promise<void> {
    const row = this.#pages.at(index);
    this.current = index;
    this.#row = row;
    this.asks = false;
    this.#keepSoon.ask();
    const { anchor, rows } = this.selection;
    if (how === "move") this.selection = { rows, anchor: index };
    else if (how === "only") this.selection = { rows: new Map(), anchor: index };
    else if (how === "toggle") {
      if (row) this.selection = toggled(this.selection, row, index);
    } else await this.#select(Math.min(anchor, index), Math.max(anchor, index), anchor);
  }

  async #select(first: number, last: number, anchor: number): Promise<void> {
    const here: ImageRow[] = [];
    for (let index = first; index <= last; index++) {
      const row = this.#pages.at(index);
      if (row) here.push(row);
      else break;
    }
    try {
      const rows = here.length === last - first + 1 ? here : await this.#pages.between(first, last);
      this.selection = selecting(rows, anchor);
      this.said = this.host.text("{0} images selected", count(rows.length));
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  get #chosen(): ImageRow[] {
    const { rows } = this.selection;
    if (rows.size > 0) return [...rows.values()];
    return this.#row ? [this.#row] : [];
  }

  #actions = {
    open: () => {
      const [row] = this.#chosen;
      if (row) this.#ask("host/openFile", { uri: row.uri, beside: true });
    },
    rescore: () => {
      const argument = this.#chosen.map(({ uri }) => uri);
      if (argument.length > 0) {
        this.#ask("host/command", { command: "leaf.score", config: this.project.config, argument });
      }
    },
    reveal: () => {
      const [row] = this.#chosen;
      if (row) this.#ask("host/reveal", { uri: row.uri });
    },
    rate: () => {
      const rows = this.#chosen;
      const focus = { hash: rows[0]?.hash, rows };
      if (rows.length > 0) this.go("rate", focus);
    },
    exclude: () => {
      this.asks = this.#chosen.length > 0;
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".confirm")?.focus());
    },
    confirmExclude: async () => {
      const paths = this.#chosen.map(({ path }) => path);
      this.asks = false;
      const answer = await this.#ask("leaf/exclude", { config: this.project.config, paths });
      if (!answer) return;
      this.selection = nothingSelected;
      this.#row = undefined;
      this.said = this.host.text("{0} images excluded; the config was edited.", count(paths.length));
      this.#pages.refresh();
      this.#grid?.focus();
    },
    dismiss: () => {
      if (this.asks) this.asks = false;
      else this.selection = nothingSelected;
      this.#grid?.focus();
    },
  };

  #ask: typeof this.host.request = async (method, params) => {
    this.failure = null;
    try {
      return await this.host.request(method, params);
    } catch (error) {
      this.failure = failureOf(error);
      return undefined as never;
    }
  };

  #resize(by: number): void {
    const at = Math.max(0, Math.min(cells.length - 1, cells.indexOf(this.cell) + by));
    this.cell = cells[at] ?? 168;
    this.#keepSoon.ask();
  }

  #key(key: string, event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey) {
      if (key !== "a" || this.#pages.total === null) return false;
      void this.#select(0, this.#pages.total - 1, this.current);
      return true;
    }
    const meaning: Record<string, () => unknown> = {
      s: this.#actions.rescore,
      o: this.#actions.reveal,
      r: this.#actions.rate,
      Delete: this.#actions.exclude,
      Escape: this.#actions.dismiss,
      "+": () => this.#resize(1),
      "-": () => this.#resize(-1),
      "/": () => this.renderRoot.querySelector<HTMLElement>("input[type=search]")?.focus(),
    };
    const act = meaning[key];
    if (act && !event.repeat) act();
    return act !== undefined;
  }

  protected override render() {
    const { host, project, filter } = this;
    const text = host.text;
    const { total } = this.#pages;
    const { scored } = project;
    const failure = this.failure
      ? html`<leaf-refusal .host=${host} .failure=${this.failure} .folder=${project.folder} retriable @retry=${() => {
          this.failure = null;
          this.#pages.refresh();
        }}></leaf-refusal>`
      : nothing;
    const busy = scored.busy && scored.done < scored.total;
    return html`
      <div class="bar" role="toolbar" aria-label=${text("Filter and order")}>
        ${galleryFilters(host, filter, project.scorer, (next) => this.#setFilter(next))}
        <span class="total figure muted"
          >${total === null ? nothing : isFiltered(filter) && project.images ? text("{0} of {1} images", count(total), count(project.images.usable)) : text("{0} images", count(total))}${busy ? html` · ${text("scoring {0} of {1}", count(scored.done), count(scored.total))}` : nothing}</span
        >
        <span class="sizes">
          <button class="icon" title=${text("Smaller pictures (-)")} aria-label=${text("Smaller pictures")} @click=${() => this.#resize(-1)}><leaf-icon name="zoom-out"></leaf-icon></button>
          <button class="icon" title=${text("Larger pictures (+)")} aria-label=${text("Larger pictures")} @click=${() => this.#resize(1)}><leaf-icon name="zoom-in"></leaf-icon></button>
        </span>
      </div>
      ${failure}
      ${total === 0 ? this.#nothingHere() : this.#images()}
      <span class="only-read" role="status">${this.said}</span>
    `;
  }

  #images() {
    const { host, project, selection } = this;
    const row = this.#row;
    return html`<div class="main">
        <leaf-image-grid
          .host=${host}
          .pages=${this.#pages}
          .pictures=${this.#pictures}
          .scorer=${project.scorer}
          .selected=${new Set(selection.rows.keys())}
          .current=${this.current}
          .cell=${this.cell}
          .revision=${this.revision}
          @pick=${(event: CustomEvent<Pick>) => this.#pick(event.detail)}
          @open=${this.#actions.open}
          @place=${(event: CustomEvent<number>) => {
            this.#top = event.detail;
            this.#keepSoon.ask();
          }}
        ></leaf-image-grid>
        ${row ? html`<leaf-image-details .host=${host} .project=${project} .pictures=${this.#pictures} .row=${row} .revision=${this.revision} @pairs=${() => this.go("pairs", { hash: row.hash })}></leaf-image-details>` : nothing}
      </div>
      ${galleryActions(host, this.#chosen, { selected: selection.rows.size > 0, asks: this.asks }, this.#actions)}`;
  }

  #nothingHere() {
    const text = this.host.text;
    if (isFiltered(this.filter)) {
      return html`<leaf-empty icon="filter" heading=${text("No image is like this")} words=${text("Other images are there: the filter hides them.")}
        ><button class="act first" @click=${() => this.#setFilter(allImages)}>${text("Show all images")}</button></leaf-empty
      >`;
    }
    const { config, imagesName } = this.project;
    return html`<leaf-empty
      icon="file-media"
      heading=${text("No images yet")}
      words=${text("Here will be the images of {0} with their scores, worst first. Put images there, or name another folder under `images:`.", imagesName)}
      ><button class="act first" @click=${() => this.host.request("host/openFile", { uri: config })}>${text("Open {0}", this.project.name)}</button></leaf-empty
    >`;
  }
}

customElements.define("leaf-gallery", Gallery);
