import { css, html, LitElement, nothing } from "lit";
import { figure, signed } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";
import type { Thumbnails } from "../ui/thumbnails.ts";
import { pictureListStyles } from "./pictureList.ts";
import type { Point } from "./scatter.ts";

/** Images where the student is furthest from the human score, worst first. Fires `pick` with a hash. */
class Worst extends LitElement {
  static override properties = {
    host: { attribute: false },
    points: { attribute: false },
    thumbnails: { attribute: false },
    selected: { type: String },
    shown: { type: Number },
    version: { type: Number },
  };
  static override styles = [
    baseStyles,
    pictureListStyles,
    css`
      ul {
        grid-template-columns: repeat(auto-fill, minmax(132px, 1fr));
        gap: 10px;
      }
      li button {
        padding: 4px;
      }
      .picture {
        margin-bottom: 4px;
      }
      strong,
      .muted {
        font-variant-numeric: tabular-nums;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 0 8px;
        justify-content: space-between;
      }
    `,
  ];
  declare host: Host;
  /** Worst first. */
  declare points: Point[];
  declare thumbnails: Thumbnails;
  declare selected: string | undefined;
  declare shown: number;
  declare version: number;

  protected override render() {
    const text = this.host.text;
    const rows = this.points.slice(0, this.shown);
    void this.thumbnails.want(rows.map(({ hash }) => hash));
    return html`<h2>${text("Worst errors first")}</h2>
      <p class="muted">${text("Error is score − MOS: + where the student sees too much quality, − where it sees too little.")}</p>
      <ul>
        ${rows.map((point) => this.#one(point))}
      </ul>
      ${
        this.points.length > this.shown
          ? html`<button class="link" @click=${() => this.dispatchEvent(new CustomEvent("more"))}>
              ${text("Show more ({0} of {1})", this.shown, this.points.length)}
            </button>`
          : nothing
      }`;
  }

  #one({ hash, path, score, mos }: Point) {
    const text = this.host.text;
    const address = this.thumbnails.get(hash);
    const pick = () => this.dispatchEvent(new CustomEvent("pick", { detail: hash }));
    return html`<li>
      <button title=${path} aria-pressed=${String(hash === this.selected)} @click=${pick}>
        <span class="picture">
          ${address ? html`<img src=${address} alt="" />` : html`<span class="muted">${address === null ? text("cannot be shown") : nothing}</span>`}
        </span>
        <span class="line"><strong>${signed(score - mos, 2)}</strong><span class="muted">${text("{0}, MOS {1}", figure(score, 2), figure(mos, 2))}</span></span>
        <div class="name">${path.slice(path.lastIndexOf("/") + 1)}</div>
      </button>
    </li>`;
  }
}

customElements.define("leaf-worst", Worst);
