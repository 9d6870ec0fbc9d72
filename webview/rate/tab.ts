import { html, nothing, type PropertyValues } from "lit";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import { duration } from "../../src/words/duration.ts";
import { count } from "../../src/words/figure.ts";
import { retestText } from "../../src/words/retest.ts";
import type { ImagePane } from "../pictures/pane.ts";
import "../pictures/pane.ts";
import { createPictures, type Pictures } from "../pictures/pictures.ts";
import { fitted, type View } from "../pictures/viewport.ts";
import { type Focus, Tab } from "../tab.ts";
import { actionButton, pressKey } from "../ui/actions.ts";
import { controlStyles } from "../ui/controls.ts";
import "../ui/empty.ts";
import { onKeys, takeFocus } from "../ui/keys.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { type RateState, rateActions } from "./actions.ts";
import { rateEnd } from "./end.ts";
import { rateLayout } from "./layout.ts";
import "./refit.ts";
import { createRatingSession, type RatingSession, ratingWord } from "./session.ts";

/** How many are proposed at a time: three minutes' work. */
const sitting = 30;
const secondsEach = 6;
/** Larger than this, a small image would be rated for the enlargement. */
const largest = 2;

/** Absolute category rating by one key an image. */
class Rate extends Tab {
  static override properties = {
    ...Tab.properties,
    failure: { state: true },
    said: { state: true },
    revision: { state: true },
    view: { state: true },
    seen: { state: true },
  };
  static override styles = [baseStyles, controlStyles, rateLayout];

  /** `rows`: images that were chosen by hand. */
  declare focusOn: (Focus & { rows?: ImageRow[] }) | undefined;
  declare failure: Failure | null;
  declare said: string;
  declare revision: number;
  declare view: View;
  /** Hash of the image that was last drawn in full: no other may be rated. */
  declare seen: string;
  #session!: RatingSession;
  #pictures!: Pictures;
  #asked = sitting;
  #stop: () => void = () => {};

  constructor() {
    super();
    this.failure = null;
    this.said = "";
    this.revision = 0;
    this.view = fitted;
    this.seen = "";
    this.tabIndex = -1;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = onKeys(this, (event) => pressKey(this.#actions, event));
    if (this.hasUpdated) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
    this.#pictures.close();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("project") as typeof this.project | undefined;
    const other = changed.has("project") && before?.config !== this.project.config;
    if (!other && !(changed.has("focusOn") && this.focusOn?.rows)) return;
    this.#open();
  }

  #open(): void {
    const { host } = this;
    const { config } = this.project;
    this.#pictures?.close();
    const made = createPictures(host, config);
    // The small picture would show its own blur while the large one loads.
    this.#pictures = { ...made, small: () => undefined };
    this.#session = createRatingSession({
      host,
      config,
      chosen: this.focusOn?.rows ?? [],
      onChange: () => this.revision++,
      onError: (error) => {
        this.failure = failureOf(error);
      },
    });
    void this.#session.load(this.#asked);
  }

  protected override firstUpdated(): void {
    takeFocus(this);
  }

  protected override updated(): void {
    const [, after] = this.#session.next;
    if (after) this.#pictures.preload([after]);
  }

  #rate(rating: number): void {
    const { host } = this;
    const session = this.#session;
    const [row] = session.next;
    if (!row || this.seen !== row.hash) return;
    this.failure = null;
    session.rate(rating);
    this.view = fitted;
    this.said = host.text(
      "{0}, {1}. {2} of {3} rated.",
      rating,
      ratingWord(host, rating),
      session.done,
      session.total,
    );
  }

  get #actions() {
    const session = this.#session;
    const waits = this.seen !== session.next[0]?.hash;
    return rateActions({ host: this.host, session, waits, does: this.#does });
  }

  #does: RateState["does"] = {
    rate: (rating) => this.#rate(rating),
    undo: () => {
      this.view = fitted;
      this.said = this.#session.last ? this.host.text("The last rating is taken back.") : "";
      this.#session.undo();
    },
    skip: () => {
      this.view = fitted;
      this.#session.skip();
    },
    changeRater: () => {
      const { host, project } = this;
      const asked = host.request("host/command", { command: "leaf.changeRater", config: project.config });
      // Whoever it is now has ratings of their own.
      void asked
        .then(() => this.#open())
        .catch((error) => {
          this.failure = failureOf(error);
        });
    },
    zoom: () => {
      const pane = this.renderRoot.querySelector<ImagePane>("leaf-image-pane");
      if (this.view.zoom === 1) pane?.toActualSize();
      else pane?.toFit();
    },
  };

  protected override render() {
    const { host, project } = this;
    const text = host.text;
    const session = this.#session;
    const failure = this.refusal(this.failure, () => {
      this.failure = null;
      void session.load(this.#asked);
    });
    const [row] = session.next;
    if (!session.queue && !row) {
      return html`${failure}${this.failure ? nothing : html`<p class="bar muted">${text("Loading…")}</p>`}`;
    }
    return html`${failure}
      ${
        row
          ? this.#image(row)
          : rateEnd(host, project, session, this.#actions.undo, {
              more: () => {
                const { train, test } = session.queue?.proposed ?? { train: 0, test: 0 };
                this.#asked = train + test + sitting;
                void session.load(this.#asked);
              },
              unskip: () => session.unskip(),
              command: (command) => void host.request("host/command", { command, config: project.config }),
            })
      }
      <span class="only-read" role="status">${this.said}</span>`;
  }

  #image(row: ImageRow) {
    const { host, project } = this;
    const text = host.text;
    const { queue, done, total, last } = this.#session;
    const actions = this.#actions;
    return html`
      <div class="bar">
        <span class="figure"><b>${text("{0} of {1}", count(done + 1), count(total))}</b></span>
        <progress max=${total} value=${done} aria-label=${text("Rated")}></progress>
        <span class="muted hidden-why" tabindex="0"
          title=${text("Until you have rated this image, LEAF hides its name, its MOS and what teacher and student say of it. Knowing them would influence your rating.")}
          >${text("Scores hidden")}</span>
        ${this.focusOn?.rows ? html`<span class="muted hidden-why optional" tabindex="0" title=${text("These ratings are good for calibrating. For evaluating, take the images that LEAF proposed at random: they are the fairer test.")}>${text("chosen by hand first")}</span>` : nothing}
        ${queue && queue.rater !== null ? actionButton(host, actions.rater, { class: "optional" }) : nothing}
        <span class="saved muted figure" title=${queue?.retest ? retestText(text, queue.retest) : nothing}>${queue ? text("{0} human scores in {1}", count(queue.total), queue.file) : nothing}</span>
      </div>
      ${
        project.mos || done > 0
          ? nothing
          : html`<p class="first-file">${text("There are no human scores yet. The first rating makes {0} and names it in {1} as mos; each rating is saved at once.", queue?.file ?? "mos.csv", project.name)}
            ${text("At six seconds an image, these {0} take {1}. They put the scores onto your scale and show how far to trust them; LEAF then tells whether more ratings would pay.", count(total), duration(text, total * secondsEach))}</p>`
      }
      <leaf-image-pane
        .host=${host}
        .pictures=${this.#pictures}
        .row=${{ ...row, path: text("This image") }}
        .view=${this.view}
        .alt=${text("The image to rate")}
        limit=${largest / devicePixelRatio}
        @view=${(event: CustomEvent<View>) => {
          this.view = event.detail;
        }}
        @shown=${() => {
          this.seen = row.hash;
        }}
      ></leaf-image-pane>
      <div class="scale" role="group" aria-label=${text("Quality of this image")}>
        ${([1, 2, 3, 4, 5] as const).map((rating) => actionButton(host, actions[rating], { class: "act", key: "named" }))}
      </div>
      <div class="bar rest">
        ${actionButton(host, actions.skip, { key: "before" })}
        ${actionButton(host, actions.undo, { key: "before" })}
        ${actionButton(host, actions.zoom, { class: "optional", key: "before" })}
        <span class="muted figure">${last ? text("last: {0} {1}", last.rating, ratingWord(host, last.rating)) : nothing}</span>
      </div>
      <leaf-rating-refit .host=${host} .config=${project.config} .ratings=${queue?.total ?? 0} .withheld=${new Set(this.#session.next.map(({ hash }) => hash))}></leaf-rating-refit>
    `;
  }
}

customElements.define("leaf-rate", Rate);
