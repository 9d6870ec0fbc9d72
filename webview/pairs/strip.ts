import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { PairRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import type { Pages } from "../pictures/pages.ts";
import { followPictures, type Pictures } from "../pictures/pictures.ts";
import { scrollTo, windowOf } from "../pictures/windowing.ts";
import { setStyle } from "../ui/setStyle.ts";
import { baseStyles } from "../ui/styles.ts";
import { preferenceText } from "./judgementBar.ts";

const cell = 108;

/** All pairs of the filter in a strip; only those in sight exist. Fires `pick` (detail: index). */
class PairStrip extends LitElement {
  static override properties = {
    host: { attribute: false },
    pages: { attribute: false },
    pictures: { attribute: false },
    current: { type: Number },
    revision: { type: Number },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        height: 66px;
        overflow: auto hidden;
        scrollbar-width: thin;
        contain: strict;
      }
      .all {
        position: relative;
        height: 52px;
      }
      button {
        position: absolute;
        top: 0;
        left: 0;
        width: ${cell - 6}px;
        height: 52px;
        padding: 2px;
        display: grid;
        grid-template: 1fr 3px / 1fr 1fr;
        gap: 2px;
        border-radius: 3px;
        background: var(--vscode-editorWidget-background);
      }
      button[aria-current="true"] {
        outline: 2px solid var(--vscode-focusBorder);
        outline-offset: -2px;
      }
      img,
      .blank {
        width: 100%;
        height: 100%;
        object-fit: contain;
        min-height: 0;
      }
      .blank {
        background: var(--vscode-toolbar-hoverBackground);
      }
      .share {
        grid-column: 1 / 3;
        justify-self: start;
        background: var(--vscode-charts-blue);
      }
      .human .share {
        background: var(--vscode-charts-purple);
      }
      .discarded img {
        opacity: 0.45;
      }
      .tick {
        position: absolute;
        right: 2px;
        top: 2px;
        width: 16px;
        line-height: 16px;
        text-align: center;
        border-radius: 8px;
        background: var(--vscode-badge-background);
        color: var(--vscode-badge-foreground);
      }
    `,
  ];
  declare host: Host;
  declare pages: Pages<PairRow>;
  declare pictures: Pictures;
  declare current: number;
  /** Grows with each change of the pages: they are the same object. */
  declare revision: number;
  #shown = -1;
  #watch = new ResizeObserver(() => this.requestUpdate());

  constructor() {
    super();
    followPictures(this);
    this.addEventListener("scroll", () => this.requestUpdate());
    // A wheel that only turns one way still goes along the strip.
    this.addEventListener(
      "wheel",
      (event) => {
        if (event.deltaX !== 0 || event.shiftKey) return;
        event.preventDefault();
        this.scrollLeft += event.deltaY;
      },
      { passive: false },
    );
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#watch.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#watch.disconnect();
  }

  protected override render() {
    const { pages } = this;
    const lines = { count: pages.total ?? 0, size: cell };
    const { height: length, first, last, offset } = windowOf(lines, this.scrollLeft, this.clientWidth, 3);
    const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
    // Hidden where the panel is low: then only what follows is of use.
    if (this.clientWidth === 0) pages.look(this.current, this.current + 1);
    else pages.look(first, last, this.current);
    this.pictures.want(shown.flatMap((index) => this.#images(index)));
    return html`<div class="all" role="group" aria-label=${this.host.text("Pairs")} ${setStyle({ width: `${length}px` })}>
      ${repeat(
        shown,
        (index) => index,
        (index) => this.#cell(index, offset + (index - first) * cell),
      )}
    </div>`;
  }

  #images(index: number) {
    const pair = this.pages.at(index);
    return pair ? [pair.a, pair.b] : [];
  }

  #cell(index: number, left: number) {
    const pair = this.pages.at(index);
    const { host } = this;
    const at = setStyle({ transform: `translateX(${left}px)` });
    if (!pair) return html`<button class="blank" disabled ${at}></button>`;
    const words = `${host.text("Pair {0}", index + 1)}: ${preferenceText(host, pair)}`;
    return html`<button
      class="${pair.human === null ? "" : "human"} ${pair.kept || pair.human !== null ? "" : "discarded"}"
      tabindex=${index === this.current ? 0 : -1}
      aria-current=${index === this.current}
      aria-label=${words}
      title=${words}
      ${at}
      @click=${() => this.dispatchEvent(new CustomEvent("pick", { detail: index }))}
    >
      ${this.#images(index).map((row) => {
        const address = this.pictures.small(row);
        return address
          ? html`<img src=${address} alt="" decoding="async" @error=${() => this.pictures.failed(row, "small")} />`
          : html`<span class="blank"></span>`;
      })}
      <span class="share" ${setStyle({ width: `${(pair.human ?? pair.p) * 100}%` })}></span>
      ${pair.human === null ? nothing : html`<span class="tick" aria-hidden="true">✓</span>`}
    </button>`;
  }

  protected override updated(): void {
    if (this.#shown === this.current || this.pages.total === null) return;
    this.#shown = this.current;
    const lines = { count: this.pages.total, size: cell };
    this.scrollLeft = scrollTo(lines, this.current, this.scrollLeft, this.clientWidth, true);
  }
}

customElements.define("leaf-pair-strip", PairStrip);
