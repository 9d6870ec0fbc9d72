import { html, LitElement, nothing } from "lit";
import type { LearningCurve } from "../../src/protocol/selection.ts";
import { ceilingText } from "../../src/words/ceiling.ts";
import { count, figure } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";

/** Whether more ratings would pay, in a sentence: by a learning curve over the ratings so far. Nothing where it cannot be told. */
class RatingHint extends LitElement {
  static override properties = {
    host: { attribute: false },
    config: { type: String },
    /** Human scores there are: with more of them it is asked for anew. */
    ratings: { type: Number },
    next: { type: Number },
    curve: { state: true },
  };
  static override styles = [baseStyles];
  declare host: Host;
  declare config: string;
  declare ratings: number;
  declare next: number;
  declare curve: LearningCurve | null | undefined;
  #asked = "";

  protected override willUpdate(): void {
    const asked = `${this.config} ${this.ratings} ${this.next}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    void this.#load(asked);
  }

  async #load(asked: string) {
    this.curve = undefined;
    const { config, next } = this;
    // A hint is not worth an error.
    const curve = await this.host.request("leaf/ratingCurve", { config, next }).catch(() => null);
    if (asked === this.#asked) this.curve = curve;
  }

  protected override render() {
    const { curve, host } = this;
    const text = host.text;
    if (curve === undefined)
      return html`<p class="muted">${text("Checking whether more ratings would help …")}</p>`;
    if (curve === null) return nothing;
    const { now, next, enough, ratings } = curve;
    const [low, high] = next.ci95;
    const gain = text(
      "{0} more ratings are expected to lower the error from {1} by {2} [{3}, {4}] MOS points",
      count(next.ratings),
      figure(now, 2),
      figure(next.gain, 2),
      figure(low, 2),
      figure(high, 2),
    );
    const advice = enough
      ? text("more of them will hardly help")
      : low > 0
        ? text("they pay")
        : text("it is not certain that they pay");
    return html`<p class="figure" title=${text("A power law fitted to the error on left-out ratings, by ridge regression on the student's features: {0} ratings.", count(ratings))}>
      ${gain}: <b>${advice}</b>.
    </p>
    ${curve.ceiling ? html`<p class="figure">${ceilingText(text, curve.ceiling)}</p>` : nothing}`;
  }
}

customElements.define("leaf-rating-hint", RatingHint);
