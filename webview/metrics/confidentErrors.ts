import { css, html, LitElement, nothing } from "lit";
import type { ConfidentError, RatedImage } from "../../src/protocol/reliability.ts";
import { figure } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";
import type { Thumbnails } from "../ui/thumbnails.ts";
import { pictureListStyles } from "./pictureList.ts";

/** Pairs that the teacher was surest of and got wrong, the better image by MOS first. Fires `pairs` with an image's hash. */
class ConfidentErrors extends LitElement {
  static override properties = {
    host: { attribute: false },
    errors: { attribute: false },
    thumbnails: { attribute: false },
    version: { type: Number },
  };
  static override styles = [
    baseStyles,
    pictureListStyles,
    css`
      :host {
        display: block;
        margin-top: 20px;
      }
      ul {
        grid-template-columns: repeat(auto-fill, minmax(min(280px, 100%), 1fr));
        gap: 12px;
      }
      li button {
        padding: 6px;
      }
      .pair {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 4px;
      }
      .side {
        min-width: 0;
      }
      .name {
        display: block;
      }
    `,
  ];
  declare host: Host;
  declare errors: ConfidentError[];
  declare thumbnails: Thumbnails;
  declare version: number;

  protected override render() {
    const text = this.host.text;
    if (this.errors.length === 0) return html`<p class="muted">${text("No pair was judged wrongly.")}</p>`;
    void this.thumbnails.want(this.errors.flatMap(({ better, worse }) => [better.hash, worse.hash]));
    return html`<h3>${text("Surest of, and wrong")}</h3>
      <p class="muted">${text("People find the left image better; the teacher gave it the probability shown.")}</p>
      <ul>
        ${this.errors.map((error) => this.#one(error))}
      </ul>`;
  }

  #one({ better, worse, p, confidence }: ConfidentError) {
    const text = this.host.text;
    const show = () => this.dispatchEvent(new CustomEvent("pairs", { detail: better.hash }));
    return html`<li>
      <button title=${text("Show the pairs of {0}", better.image)} @click=${show}>
        <span class="pair">${this.#side(better)}${this.#side(worse)}</span>
        <span class="figure">${text("P(left better) {0}, confidence {1}", figure(p, 2), figure(confidence, 2))}</span>
      </button>
    </li>`;
  }

  #side({ hash, image, mos }: RatedImage) {
    const text = this.host.text;
    const address = this.thumbnails.get(hash);
    return html`<span class="side">
      <span class="picture">
        ${address ? html`<img src=${address} alt="" />` : html`<span class="muted">${address === null ? text("cannot be shown") : nothing}</span>`}
      </span>
      <span class="name">${image.slice(image.lastIndexOf("/") + 1)}</span>
      <span class="muted figure">MOS ${figure(mos, 2)}</span>
    </span>`;
  }
}

customElements.define("leaf-confident-errors", ConfidentErrors);
