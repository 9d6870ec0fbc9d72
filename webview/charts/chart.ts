import { css, html, LitElement, nothing } from "lit";
import type { Host } from "../host.ts";
import "../ui/icon.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";
import { type ChartTable, toCsv } from "./csv.ts";
import { loadPlot, plot } from "./plot.ts";
import { svgText } from "./svgText.ts";

/**
 * A chart with its title, the same as a table, and both to be copied: `<leaf-chart .heading .draw .table>`. `draw` gives an SVG of a
 * width in CSS pixels and is called anew when it or the width changes; whoever draws listens to the SVG itself.
 */
export class Chart extends LitElement {
  static override properties = {
    host: { attribute: false },
    heading: { type: String },
    note: { type: String },
    draw: { attribute: false },
    table: { attribute: false },
    legend: { attribute: false },
    asTable: { state: true },
    width: { state: true },
    told: { state: true },
  };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      figure {
        margin: 0;
        min-width: 0;
      }
      figcaption {
        display: flex;
        align-items: center;
        gap: 2px;
        min-height: 24px;
        margin-bottom: 4px;
      }
      figcaption h3 {
        flex: 1 1 auto;
      }
      .note {
        font-weight: normal;
      }
      .tools {
        display: flex;
        flex: none;
      }
      svg {
        display: block;
        max-width: 100%;
        height: auto;
        font-family: var(--vscode-font-family);
        font-size: 11px;
        overflow: visible;
      }
      svg text {
        white-space: pre;
      }
      /* What is below does not jump when the first chart comes. */
      .drawing:empty {
        min-height: 180px;
      }
      .scroll {
        max-height: 320px;
        overflow: auto;
      }
      .scroll thead th {
        position: sticky;
        top: 0;
        background: var(--vscode-editor-background);
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 14px;
        list-style: none;
        margin: 0 0 4px;
        padding: 0;
        font-size: 0.92em;
      }
      li {
        display: flex;
        align-items: center;
        gap: 5px;
      }
      li svg {
        flex: none;
        height: 10px;
      }
    `,
  ];
  declare host: Host;
  declare heading: string;
  declare note: string | undefined;
  declare draw: (width: number) => SVGSVGElement;
  declare table: ChartTable;
  declare legend: LegendItem[] | undefined;
  declare asTable: boolean;
  declare width: number;
  declare told: string;
  #resized = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0 && width !== this.width) this.width = width;
  });
  #drawn: [draw: Chart["draw"], width: number] | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  protected override render() {
    const text = this.host.text;
    return html`<figure>
      <figcaption>
        <h3>${this.heading} ${this.note ? html`<span class="note muted">${this.note}</span>` : nothing}</h3>
        <span class="only-read" role="status">${this.told}</span>
        <span class="tools">
          ${this.#tool("table", text("Show as table"), () => {
            this.asTable = !this.asTable;
          })}
          ${this.asTable ? nothing : this.#tool("file-media", text("Copy as SVG"), () => this.#svg && this.#copy(svgText(this.#svg), "SVG"))}
          ${this.#tool("copy", text("Copy as CSV"), () => this.#copy(toCsv(this.table), "CSV"))}
        </span>
      </figcaption>
      ${this.legend && !this.asTable ? this.#legend(this.legend) : nothing}
      ${this.asTable ? this.#table() : html`<div class="drawing"></div>`}
    </figure>`;
  }

  #tool(icon: "table" | "file-media" | "copy", title: string, act: () => void) {
    const pressed = icon === "table" ? String(this.asTable === true) : nothing;
    return html`<button class="icon" title=${title} aria-label=${title} aria-pressed=${pressed} @click=${act}>
      <leaf-icon name=${this.told && icon !== "table" ? "check" : icon}></leaf-icon>
    </button>`;
  }

  #legend(items: LegendItem[]) {
    return html`<ul>
      ${items.map(
        ({ name, color, dashed }) =>
          html`<li>
            <svg width="16" height="10" viewBox="0 0 16 10" aria-hidden="true">
              <line x1="0" y1="5" x2="16" y2="5" stroke=${color} stroke-width="2.5" stroke-dasharray=${dashed ? "4 3" : nothing}></line>
            </svg>
            ${name}
          </li>`,
      )}
    </ul>`;
  }

  #table() {
    const { columns, rows } = this.table;
    const numeric = (at: number) => rows.some((row) => typeof row[at] === "number");
    return html`<div class="scroll" tabindex="0">
      <table>
        <caption class="only-read">${this.heading}</caption>
        <thead>
          <tr>${columns.map((name, at) => html`<th scope="col" class=${numeric(at) ? "number" : ""}>${name}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map((row) => html`<tr>${row.map((cell, at) => html`<td class=${numeric(at) ? "number" : ""}>${cell ?? "–"}</td>`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
  }

  protected override updated(): void {
    const place = this.renderRoot.querySelector(".drawing");
    if (!place) {
      this.#drawn = undefined;
      return;
    }
    if (!plot) {
      loadPlot().then(
        () => this.requestUpdate(),
        // It cannot be fetched: the same numbers as a table.
        () => {
          this.asTable = true;
        },
      );
      return;
    }
    if (!this.width || (this.#drawn?.[0] === this.draw && this.#drawn[1] === this.width)) return;
    this.#drawn = [this.draw, this.width];
    const focused = place.contains((this.renderRoot as ShadowRoot).activeElement);
    place.replaceChildren(this.draw(this.width));
    if (focused) this.#svg?.focus();
  }

  get #svg(): SVGSVGElement | null {
    return this.renderRoot.querySelector<SVGSVGElement>(".drawing > svg");
  }

  async #copy(text: string, what: string) {
    await this.host.request("host/copy", { text });
    this.told = this.host.text("Copied as {0}.", what);
    setTimeout(() => {
      this.told = "";
    }, 1500);
  }
}

export interface LegendItem {
  name: string;
  color: string;
  dashed?: boolean;
}

customElements.define("leaf-chart", Chart);
