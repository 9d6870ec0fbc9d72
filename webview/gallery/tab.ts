import { html, nothing, type PropertyValues } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import { count } from "../../src/words/figure.ts";
import { listen } from "../feed.ts";
import { createPictures, type Pictures } from "../pictures/pictures.ts";
import { type Focus, Tab } from "../tab.ts";
import { pressKey } from "../ui/actions.ts";
import { controlStyles } from "../ui/controls.ts";
import "../ui/empty.ts";
import "../ui/icon.ts";
import { onKeys, takeFocus } from "../ui/keys.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { throttled } from "../ui/throttle.ts";
import { actionBar } from "./actionBar.ts";
import { type GalleryActions, type GalleryState, galleryActions } from "./actions.ts";
import "./details.ts";
import { galleryEmpty } from "./empty.ts";
import { allImages, type GalleryFilter, scorerOf, sortedBy, targetOf } from "./filters.ts";
import type { ImageGrid } from "./grid.ts";
import "./grid.ts";
import { type HeatChoice, hasHeatMaps, noHeat } from "./heatControls.ts";
import { galleryLayout } from "./layout.ts";
import { createImageList } from "./list.ts";
import { nothingSelected, type Pick, picked, type Selection, selectRange } from "./selection.ts";
import { galleryToolbar, resized, usualCell } from "./toolbar.ts";

interface Kept {
  filter: GalleryFilter;
  /** Index of the first image in sight. */
  top: number;
  current: number;
  cell: number;
  heat: HeatChoice;
}

/** All images with their scores: the worst, the best, the odd ones, and what to do with them. */
class Gallery extends Tab {
  static override properties = {
    ...Tab.properties,
    filter: { state: true },
    selection: { state: true },
    current: { state: true },
    cell: { state: true },
    heat: { state: true },
    asks: { state: true },
    failure: { state: true },
    said: { state: true },
    revision: { state: true },
  };
  static override styles = [baseStyles, controlStyles, galleryLayout];

  declare filter: GalleryFilter;
  declare selection: Selection;
  declare current: number;
  declare cell: number;
  declare heat: HeatChoice;
  declare asks: boolean;
  declare failure: Failure | null;
  declare said: string;
  declare revision: number;
  #list = createImageList({
    host: () => this.host,
    onChange: () => this.#changed(),
    onOther: () => this.#grid?.startAt(0),
    onError: (error) => this.#refused(error),
  });
  #pictures: Pictures | undefined;
  #row: ImageRow | undefined;
  #top = 0;
  #stop: (() => void)[] = [];
  #refresh = throttled(500, () => this.#list.pages.refresh());
  #keepSoon = throttled(500, () => this.#keepPlace());
  #typed: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.filter = allImages;
    this.selection = nothingSelected;
    this.current = 0;
    this.cell = usualCell;
    this.heat = noHeat;
    this.asks = false;
    this.failure = null;
    this.said = "";
    this.revision = 0;
    this.tabIndex = -1;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = [
      listen(this.feed, "scoresChanged", ({ uris, all }) => {
        this.#refresh.ask();
        if (this.#row && (all || uris.includes(this.#row.uri))) void this.#readRow(this.#row);
      }),
      onKeys(this, (event) => pressKey(this.#actions, event)),
    ];
    if (this.hasUpdated) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stop) stop();
    this.#refresh.stop();
    this.#keepSoon.stop();
    clearTimeout(this.#typed);
    this.#list.close();
    this.#pictures?.close();
    this.#pictures = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("project") as typeof this.project | undefined;
    if (changed.has("project") && before?.config !== this.project.config) {
      const kept = this.kept as Partial<Kept> | undefined;
      this.filter = { ...allImages, ...kept?.filter };
      this.current = kept?.current ?? 0;
      this.cell = kept?.cell ?? usualCell;
      this.heat = { ...noHeat, ...kept?.heat };
      this.#top = kept?.top ?? 0;
      this.selection = nothingSelected;
      this.#row = undefined;
      this.#pictures?.close();
      this.#pictures = undefined;
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
    const { host, project } = this;
    this.#pictures ??= createPictures(host, project.config);
    this.#list.open(project, this.filter, this.#top);
  }

  #refused = (error: unknown) => {
    this.failure = failureOf(error);
  };

  #changed(): void {
    const { total } = this.#list.pages;
    const hash = this.#row?.hash;
    // The focused image stays the focused one, wherever its new score has put it.
    const at = hash ? this.#list.pages.find((row) => row.hash === hash) : -1;
    if (at >= 0) this.current = at;
    else if (total !== null) this.current = Math.max(0, Math.min(this.current, total - 1));
    this.#row = (at >= 0 || !hash ? this.#list.pages.at(this.current) : this.#row) ?? this.#row;
    this.revision++;
  }

  /** The focused image may have gone to where its new score belongs: out of what is here. */
  async #readRow({ hash, uri }: ImageRow): Promise<void> {
    const image = await this.host.request("leaf/image", { uri }).catch(() => null);
    if (!image || this.#row?.hash !== hash || image.row.hash !== hash) return;
    this.#row = image.row;
    this.revision++;
  }

  async #goTo(hash: string): Promise<void> {
    this.filter = allImages;
    this.selection = nothingSelected;
    try {
      const at = await this.#list.openAt(this.project, this.filter, hash);
      this.said = at < 0 ? this.host.text("This image is no longer in the dataset.") : "";
      if (at < 0) return;
      this.current = at;
      this.#row = this.#list.pages.at(at);
      this.revision++;
      await this.updateComplete;
      this.#grid?.startAt(at);
    } catch (error) {
      this.#refused(error);
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
    const { filter, current, cell, heat } = this;
    this.keep({ filter, top: this.#top, current, cell, heat } satisfies Kept);
  }

  #setHeat(heat: HeatChoice): void {
    this.heat = heat;
    this.#keepSoon.ask();
  }

  #pick(pick: Pick): void {
    this.current = pick.index;
    this.#row = this.#list.pages.at(pick.index);
    this.asks = false;
    this.#keepSoon.ask();
    void this.#select(picked(this.selection, pick, this.#list.pages), pick.how === "extend");
  }

  async #select(selection: Promise<Selection>, tell: boolean): Promise<void> {
    try {
      this.selection = await selection;
      if (tell) this.said = this.host.text("{0} images selected", count(this.selection.rows.size));
    } catch (error) {
      this.#refused(error);
    }
  }

  get #chosen(): ImageRow[] {
    const { rows } = this.selection;
    if (rows.size > 0) return [...rows.values()];
    return this.#row ? [this.#row] : [];
  }

  get #actions() {
    const { project, selection } = this;
    return galleryActions({
      host: this.host,
      config: project.config,
      chosen: this.#chosen,
      selected: selection.rows.size > 0,
      asks: this.asks,
      heatShown: this.heat.shown,
      does: this.#does,
    });
  }

  #does: GalleryState["does"] = {
    rate: (rows) => this.go("rate", { hash: rows[0]?.hash, rows } as Focus),
    ask: (asks) => {
      this.asks = asks;
      if (asks) void this.updateComplete.then(() => this.#element(".confirm")?.focus());
    },
    excluded: (amount) => {
      this.selection = nothingSelected;
      this.#row = undefined;
      this.said = this.host.text("{0} images excluded; the config was edited.", count(amount));
      this.#list.pages.refresh();
      this.#grid?.focus();
    },
    dismiss: () => {
      if (this.asks) this.asks = false;
      else this.selection = nothingSelected;
      this.#grid?.focus();
    },
    selectAll: () => {
      const { pages } = this.#list;
      if (pages.total) void this.#select(selectRange(pages, 0, pages.total - 1, this.current), true);
    },
    resize: (by) => {
      this.cell = resized(this.cell, by);
      this.#keepSoon.ask();
    },
    toggleHeat: () => {
      if (hasHeatMaps(this.project.scorer)) this.#setHeat({ ...this.heat, shown: !this.heat.shown });
    },
    search: () => this.#element("input[type=search]")?.focus(),
    refused: this.#refused,
  };

  #element(selector: string): HTMLElement | null {
    return this.renderRoot.querySelector(selector);
  }

  protected override render() {
    const { host, project, filter } = this;
    const actions = this.#actions;
    const { total } = this.#list.pages;
    const failure = this.refusal(this.failure, () => {
      this.failure = null;
      this.#list.pages.refresh();
    });
    return html`
      ${galleryToolbar(host, project, filter, total, (next) => this.#setFilter(next), actions)}
      ${failure}
      ${total === 0 ? galleryEmpty(host, project, filter, () => this.#setFilter(allImages)) : this.#images(actions)}
      <span class="only-read" role="status">${this.said}</span>
    `;
  }

  #images(actions: GalleryActions) {
    const { host, project, selection } = this;
    const row = this.#row;
    return html`<div class="main">
        <leaf-image-grid
          .host=${host}
          .pages=${this.#list.pages}
          .pictures=${this.#pictures}
          .scorer=${scorerOf(project.scorer, this.filter)}
          .score=${(row: ImageRow) => (targetOf(row, this.filter) ?? row).score}
          .note=${sortedBy(host, this.filter, project.mos?.range)}
          .selected=${new Set(selection.rows.keys())}
          .current=${this.current}
          .cell=${this.cell}
          .revision=${this.revision}
          @pick=${(event: CustomEvent<Pick>) => this.#pick(event.detail)}
          @open=${() => this.#actions.open.run()}
          @place=${(event: CustomEvent<number>) => {
            this.#top = event.detail;
            this.#keepSoon.ask();
          }}
        ></leaf-image-grid>
        <div class="details">${row ? html`<leaf-image-details .host=${host} .project=${project} .pictures=${this.#pictures} .row=${row} .heat=${this.heat} .heatToggle=${actions.heat} @heat=${(event: CustomEvent<HeatChoice>) => this.#setHeat(event.detail)} @pairs=${() => this.go("pairs", { hash: row.hash })}></leaf-image-details>` : nothing}</div>
      </div>
      ${actionBar(host, this.#chosen, { selected: selection.rows.size > 0, asks: this.asks, configName: project.name }, actions)}`;
  }
}

customElements.define("leaf-gallery", Gallery);
