import { css, html, LitElement, type PropertyValues } from "lit";
import type { PairRow } from "../../src/protocol/images.ts";
import { percent } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import type { ImagePane } from "../pictures/pane.ts";
import "../pictures/pane.ts";
import type { Pictures } from "../pictures/pictures.ts";
import { fitted, type View } from "../pictures/viewport.ts";
import { baseStyles } from "../ui/styles.ts";

/** Slow enough to be safe for people whom flicker harms (under three changes a second), fast enough to see what moves. */
const flickerMs = 500;

/** Two images that always show the same region, side by side, or by turns in the same place (flicker). */
export class PairView extends LitElement {
  static override properties = {
    host: { attribute: false },
    pictures: { attribute: false },
    pair: { attribute: false },
    view: { state: true },
    flicker: { type: Boolean, reflect: true },
    inFront: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        position: relative;
        min-height: 0;
        overflow: hidden;
        container-type: size;
      }
      .panes {
        position: absolute;
        inset: 0;
        display: grid;
        grid-template: 1fr / 1fr 1fr;
        gap: 2px;
      }
      @container (max-aspect-ratio: 1/1) {
        .panes {
          grid-template: 1fr 1fr / 1fr;
        }
      }
      .pane {
        position: relative;
        min-width: 0;
        min-height: 0;
        background: var(--vscode-editorWidget-background);
      }
      leaf-image-pane {
        position: absolute;
        inset: 0;
      }
      :host([flicker]) .panes {
        display: block;
      }
      :host([flicker]) .pane {
        position: absolute;
        inset: 0;
      }
      :host([flicker]) .pane.behind {
        visibility: hidden;
      }
      .mark {
        position: absolute;
        top: 6px;
        left: 6px;
        min-width: 22px;
        padding: 1px 6px;
        text-align: center;
        font-weight: 600;
        color: var(--vscode-editorWidget-foreground, var(--vscode-foreground));
        background: var(--vscode-editorWidget-background);
        border: 1px solid var(--vscode-contrastBorder, var(--vscode-editorWidget-border, transparent));
        border-radius: 4px;
        pointer-events: none;
      }
      .scale {
        font-weight: normal;
        color: var(--vscode-descriptionForeground);
      }
    `,
  ];

  declare host: Host;
  declare pictures: Pictures;
  declare pair: PairRow;
  declare view: View;
  declare flicker: boolean;
  declare inFront: "a" | "b";
  #turns: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.view = fitted;
    this.flicker = false;
    this.inFront = "a";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopFlicker();
  }

  get #panes(): ImagePane[] {
    return [...this.renderRoot.querySelectorAll("leaf-image-pane")];
  }

  get #first(): ImagePane | undefined {
    return this.#panes[0];
  }

  zoomBy(factor: number): void {
    this.#first?.zoomBy(factor);
  }

  toFit(): void {
    this.#first?.toFit();
  }

  toActualSize(): void {
    this.#first?.toActualSize();
  }

  pan(x: number, y: number): void {
    this.#first?.pan({ x, y });
  }

  /** Where people ask for less motion, each call shows the other image instead of a steady change. */
  startFlicker(): void {
    if (this.flicker) return;
    this.flicker = true;
    this.inFront = "b";
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#turns = setInterval(() => this.swap(), flickerMs);
    }
  }

  swap(): void {
    this.inFront = this.inFront === "a" ? "b" : "a";
  }

  stopFlicker(): void {
    clearInterval(this.#turns);
    this.#turns = undefined;
    this.flicker = false;
    this.inFront = "a";
  }

  get steady(): boolean {
    return this.flicker && this.#turns === undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("pair") as PairRow | undefined;
    if (!before || (before.a.hash === this.pair.a.hash && before.b.hash === this.pair.b.hash)) return;
    this.view = fitted;
  }

  protected override render() {
    const { host, pictures, pair } = this;
    return html`<div class="panes" @view=${this.#follow}>
      ${(["a", "b"] as const).map(
        (side) => html`<div class="pane ${this.inFront === side ? "" : "behind"}">
          <leaf-image-pane
            .host=${host}
            .pictures=${pictures}
            .row=${pair[side]}
            .view=${this.view}
            .alt=${side === "a" ? host.text("Image A, {0}", pair.a.path) : host.text("Image B, {0}", pair.b.path)}
            @shown=${() => this.requestUpdate()}
          ></leaf-image-pane>
          <span class="mark">${side.toUpperCase()} <span class="scale figure" data-side=${side}></span></span>
        </div>`,
      )}
    </div>`;
  }

  protected override updated(): void {
    // Scales are known once the panes have drawn themselves.
    for (const [at, pane] of this.#panes.entries()) {
      void pane.updateComplete.then(() => {
        const scale = this.renderRoot.querySelectorAll(".scale")[at];
        if (scale) scale.textContent = percent(pane.screenScale, 0);
      });
    }
  }

  #follow(event: CustomEvent<View>) {
    this.view = event.detail;
    this.dispatchEvent(new CustomEvent("zoomed"));
  }
}

customElements.define("leaf-pair-view", PairView);
declare global {
  interface HTMLElementTagNameMap {
    "leaf-pair-view": PairView;
  }
}
