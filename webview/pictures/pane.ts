import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import { setStyle } from "../ui/setStyle.ts";
import { baseStyles } from "../ui/styles.ts";
import { listenToGestures } from "./gestures.ts";
import { followPictures, type Pictures } from "./pictures.ts";
import {
  actualSize,
  clampZoom,
  fitted,
  inside,
  type Point,
  panBy,
  placement,
  type Size,
  type View,
  visibleRegion,
  zoomAt,
} from "./viewport.ts";

/**
 * One image in a pane that it fills: `<leaf-image-pane .host .pictures .row .view>`. Wheel, drag and double click ask for another
 * view by the event `view` (detail: View), which the owner gives back to every pane that shall follow.
 */
export class ImagePane extends LitElement {
  static override properties = {
    host: { attribute: false },
    pictures: { attribute: false },
    row: { attribute: false },
    view: { attribute: false },
    overlay: { attribute: false },
    limit: { type: Number },
    alt: { type: String },
    size: { state: true },
    loaded: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        position: relative;
        overflow: hidden;
        min-width: 0;
        min-height: 0;
        touch-action: none;
        cursor: grab;
        user-select: none;
      }
      :host(.dragged) {
        cursor: grabbing;
      }
      img {
        position: absolute;
        left: 0;
        top: 0;
        max-width: none;
        transform-origin: 0 0;
        pointer-events: none;
      }
      img.pixels {
        image-rendering: pixelated;
      }
      img.waits {
        visibility: hidden;
      }
      .note {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        padding: 16px;
        text-align: center;
        overflow-wrap: anywhere;
        pointer-events: none;
      }
      .note.below {
        inset: auto 0 0 0;
        background: var(--vscode-editorWidget-background);
        border-top: 1px solid var(--vscode-contrastBorder, transparent);
        padding: 2px 8px;
      }
    `,
  ];

  declare host: Host;
  declare pictures: Pictures;
  declare row: ImageRow;
  declare view: View;
  /** A picture of the image's shape to lay over it, opacity 0..1. Fires `overlaylost` where it does not load. */
  declare overlay: { address: string; opacity: number } | null;
  /** The largest scale that fitting may take; none by default. */
  declare limit: number | undefined;
  declare alt: string;
  declare size: Size;
  /** The picture in full has been drawn. */
  declare loaded: boolean;
  #pane: Size = { width: 0, height: 0 };
  #watch = new ResizeObserver(([entry]) => {
    if (!entry) return;
    const { width, height } = entry.contentRect;
    this.#pane = { width, height };
    this.requestUpdate();
  });

  constructor() {
    super();
    followPictures(this);
    this.view = fitted;
    this.overlay = null;
    this.loaded = false;
    this.size = { width: 0, height: 0 };
    listenToGestures(this, {
      zoom: (factor, at) => this.zoomBy(factor, at),
      pan: (by) => this.pan(by),
      jump: (at) => (Math.abs(this.view.zoom - 1) < 1e-6 ? this.toActualSize(at) : this.toFit()),
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

  /** Screen pixels that one pixel of the image takes. */
  get screenScale(): number {
    return placement(this.view, this.size, this.#pane, this.limit).scale * devicePixelRatio;
  }

  get region() {
    return visibleRegion(this.view, this.size, this.#pane, this.limit);
  }

  zoomBy(factor: number, at: Point = this.#middle): void {
    const actual = actualSize(this.size, this.#pane, devicePixelRatio, this.limit);
    const zoom = clampZoom(this.view.zoom * factor, actual);
    this.#ask(zoomAt(this.view, zoom, at, this.size, this.#pane, this.limit));
  }

  toActualSize(at: Point = this.#middle): void {
    const zoom = actualSize(this.size, this.#pane, devicePixelRatio, this.limit);
    this.#ask(zoomAt(this.view, zoom, at, this.size, this.#pane, this.limit));
  }

  toFit(): void {
    this.#ask(fitted);
  }

  pan(by: Point): void {
    this.#ask(panBy(this.view, by, this.size, this.#pane, this.limit));
  }

  get #middle(): Point {
    return { x: this.#pane.width / 2, y: this.#pane.height / 2 };
  }

  #ask(view: View): void {
    this.dispatchEvent(
      new CustomEvent("view", { detail: inside(view, this.size, this.#pane, this.limit), bubbles: true }),
    );
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("row") as ImageRow | undefined;
    if (!changed.has("row") || before?.hash === this.row.hash) return;
    this.loaded = false;
    this.size = { width: this.row.width, height: this.row.height };
  }

  protected override render() {
    const { row, pictures } = this;
    const [full, small] = [pictures.full(row), pictures.small(row)];
    if (full === null && !small)
      return html`<p class="note">${this.host.text("{0} cannot be shown.", row.path)}</p>`;
    const { scale, left, top } = placement(this.view, this.size, this.#pane, this.limit);
    const where = {
      width: `${this.size.width}px`,
      height: `${this.size.height}px`,
      transform: `translate(${left}px, ${top}px) scale(${scale})`,
    };
    const at = setStyle(where);
    const { overlay } = this;
    const pixels = scale * devicePixelRatio >= 2 ? "pixels" : "";
    return keyed(
      row.hash,
      html`${
        small && !this.loaded
          ? html`<img class=${pixels} src=${small} alt="" ${at} @error=${() => pictures.failed(row, "small")} />`
          : nothing
      }
        ${
          full
            ? html`<img
                class="full ${pixels} ${this.loaded ? "" : "waits"}"
                src=${full}
                alt=${this.alt ?? row.path}
                decoding="async"
                ${at}
                @load=${this.#shown}
                @error=${() => pictures.failed(row, "full")}
              />`
            : nothing
        }
        ${
          // Before the picture is there its shape is not certain: see #shown.
          overlay && (this.loaded || full === null)
            ? html`<img
                class="overlay"
                src=${overlay.address}
                alt=""
                decoding="async"
                ${setStyle({ ...where, opacity: String(overlay.opacity) })}
                @error=${() => this.dispatchEvent(new CustomEvent("overlaylost"))}
              />`
            : nothing
        }
        ${full === null ? html`<p class="note below">${this.host.text("Only a small picture of it can be shown.")}</p>` : nothing}
        ${full === undefined && !small ? html`<p class="note muted">${this.host.text("Loading…")}</p>` : nothing}`,
    );
  }

  /** The picture knows its size best: files may be rotated, and what stands for a huge one is smaller. */
  #shown(event: Event) {
    const { naturalWidth, naturalHeight } = event.target as HTMLImageElement;
    this.size = { width: naturalWidth, height: naturalHeight };
    this.loaded = true;
    this.dispatchEvent(new CustomEvent("shown"));
  }
}

customElements.define("leaf-image-pane", ImagePane);
declare global {
  interface HTMLElementTagNameMap {
    "leaf-image-pane": ImagePane;
  }
}
