import { css, html, LitElement, nothing } from "lit";
import type { Refit } from "../../src/protocol/selection.ts";
import { count, figure } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";
import "./hint.ts";

/** After so many ratings the closed form is fitted anew. */
const perFit = 10;
const shown = 5;

/**
 * What the closed form makes of the ratings so far, after each ten of them: how well it is expected to agree, how far off a score is,
 * what ten more would bring, and, on request, which unrated images it holds for the best and the worst. Nothing where there is none.
 */
class RatingRefit extends LitElement {
  static override properties = {
    host: { attribute: false },
    config: { type: String },
    /** Human scores there are. */
    ratings: { type: Number },
    /** Hashes of images that are about to be rated: what it says of them would pull the ratings. */
    withheld: { attribute: false },
    refit: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      p,
      leaf-rating-hint,
      details {
        display: block;
        margin: 2px 8px;
      }
      td {
        padding-inline-end: 12px;
      }
    `,
  ];
  declare host: Host;
  declare config: string;
  declare ratings: number;
  declare withheld: ReadonlySet<string>;
  declare refit: Refit | null | undefined;
  #asked = "";

  protected override willUpdate(): void {
    const tens = Math.floor(this.ratings / perFit);
    const asked = `${this.config} ${tens}`;
    if (tens === 0 || asked === this.#asked) return;
    this.#asked = asked;
    void this.#load(asked);
  }

  async #load(asked: string) {
    // No student yet, or none of the closed form: nothing to say.
    const refit = await this.host.request("leaf/ratingRefit", { config: this.config }).catch(() => null);
    if (asked === this.#asked) this.refit = refit;
  }

  protected override render() {
    const { refit, host } = this;
    if (!refit) return nothing;
    const { text } = host;
    const { srcc, ci95 } = refit.expected;
    const open = refit.images.filter(({ hash }) => !this.withheld.has(hash));
    const sds = open.map(({ sd }) => sd).sort((a, b) => a - b);
    const agreement =
      srcc === null
        ? "–"
        : ci95
          ? `${figure(srcc, 2)} [${figure(ci95[0], 2)}, ${figure(ci95[1], 2)}]`
          : figure(srcc, 2);
    return html`<p class="figure" title=${text("Agreement with ratings left out of the fit, with its 95 % interval.")}>
        ${text("Fitted anew to {0} ratings: expected SRCC {1}.", count(refit.ratings), agreement)}
        ${sds.length > 0 ? text("A rating lies {0} from such a score, as a rule.", figure(sds[sds.length >> 1]!, 2)) : nothing}
      </p>
      <leaf-rating-hint .host=${host} config=${this.config} ratings=${refit.ratings} next=${perFit}></leaf-rating-hint>
      ${open.length === 0 ? nothing : this.#order(open)}`;
  }

  #order(open: Refit["images"]) {
    const { text } = this.host;
    const best = open.slice(0, shown);
    const worst = open.slice(Math.max(shown, open.length - shown));
    return html`<details>
      <summary>${text("Best and worst of {0} unrated images", count(open.length))}</summary>
      <table>
        ${[...best, ...worst].map(({ image, score, sd }) => html`<tr><td class="figure">${figure(score, 2)} ± ${figure(sd, 2)}</td><td>${image}</td></tr>`)}
      </table>
    </details>`;
  }
}

customElements.define("leaf-rating-refit", RatingRefit);
