import { css, html, LitElement, nothing } from "lit";
import { figure, signed } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import { baseStyles } from "../ui/styles.ts";
import type { Point } from "./scatter.ts";

/** One point of the scatter as an image. Fires `open`, `gallery`. */
class ImageCard extends LitElement {
  static override properties = {
    host: { attribute: false },
    point: { attribute: false },
    address: { attribute: false },
  };
  static override styles = [
    baseStyles,
    css`
      .picture {
        height: 220px;
        display: flex;
        align-items: center;
        justify-content: center;
        text-align: center;
        background: var(--vscode-textCodeBlock-background);
        border: 1px solid var(--vscode-contrastBorder, transparent);
      }
      img {
        max-width: 100%;
        max-height: 100%;
        object-fit: contain;
      }
      .path {
        margin: 6px 0 4px;
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        grid-template-columns: auto auto auto auto;
        justify-content: start;
        gap: 0 14px;
        margin: 0 0 8px;
      }
      dt {
        grid-row: 1;
        color: var(--vscode-descriptionForeground);
      }
      dd {
        grid-row: 2;
        margin: 0;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];
  declare host: Host;
  declare point: Point | undefined;
  declare address: string | null | undefined;

  protected override render() {
    const text = this.host.text;
    const { point } = this;
    if (!point) {
      return html`<div class="picture"><p class="muted">
        ${text("Click a point to see its image. By keyboard: focus the chart, then ← → by score, ↑ ↓ by MOS.")}
      </p></div>`;
    }
    const { path, score, mos, teacher } = point;
    return html`<div class="picture">
        ${
          this.address
            ? html`<img src=${this.address} alt=${path} />`
            : html`<p class="muted">${this.address === null ? text("This file cannot be shown.") : nothing}</p>`
        }
      </div>
      <div aria-live="polite">
        <p class="path">${path}</p>
        <dl>
          <dt>${text("Score")}</dt>
          <dd>${figure(score, 2)}</dd>
          <dt>MOS</dt>
          <dd>${figure(mos, 2)}</dd>
          <dt>${text("Error")}</dt>
          <dd>${signed(score - mos, 2)}</dd>
          ${teacher === null ? nothing : html`<dt>${text("Teacher")}</dt><dd>${figure(teacher, 2)}</dd>`}
        </dl>
      </div>
      <div class="row">
        <vscode-button appearance="secondary" title=${text("Open file (Enter in the chart)")} @click=${() => this.#fire("open")}
          >${text("Open file")}</vscode-button
        >
        <vscode-button appearance="secondary" title=${text("Show in gallery (g in the chart)")} @click=${() => this.#fire("gallery")}
          >${text("Show in gallery")}</vscode-button
        >
      </div>`;
  }

  #fire(type: "open" | "gallery") {
    this.dispatchEvent(new CustomEvent(type));
  }
}

customElements.define("leaf-image-card", ImageCard);
