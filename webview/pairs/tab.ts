import { html, nothing, type PropertyValues } from "lit";
import type { PairRow } from "../../src/protocol/images.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import { count } from "../../src/words/figure.ts";
import { listen } from "../feed.ts";
import { outOfDistributionStyles } from "../pictures/outOfDistribution.ts";
import { createPages, type Pages } from "../pictures/pages.ts";
import { createPictures, type Pictures } from "../pictures/pictures.ts";
import { Tab } from "../tab.ts";
import { pressKey } from "../ui/actions.ts";
import { controlStyles } from "../ui/controls.ts";
import "../ui/empty.ts";
import "../ui/icon.ts";
import { onKeys, takeFocus } from "../ui/keys.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { throttled } from "../ui/throttle.ts";
import { viewTools, wordBar } from "./actionBars.ts";
import { type PairActions, type PairState, pairActions } from "./actions.ts";
import { pairCaption } from "./caption.ts";
import { pairEmpty } from "./empty.ts";
import { allPairs, type PairFilter, pairFilters } from "./filters.ts";
import "./judgementBar.ts";
import { pairLayout } from "./layout.ts";
import { createOverruling, type Overruling } from "./overruling.ts";
import "./strip.ts";
import type { PairView } from "./view.ts";
import "./view.ts";

interface Kept {
  filter: PairFilter;
  index: number;
}

const holdMs = 300;

/** The teacher's preferences, pair by pair, for a person to see and to overrule. */
class Pairs extends Tab {
  static override properties = {
    ...Tab.properties,
    filter: { state: true },
    index: { state: true },
    failure: { state: true },
    said: { state: true },
    revision: { state: true },
  };
  static override styles = [baseStyles, controlStyles, outOfDistributionStyles, pairLayout];

  declare filter: PairFilter;
  declare index: number;
  declare failure: Failure | null;
  /** For those who do not see the screen. */
  declare said: string;
  declare revision: number;
  #pages!: Pages<PairRow>;
  #pictures!: Pictures;
  #overruling!: Overruling;
  #pressedAt = 0;
  #stop: (() => void)[] = [];
  #refresh = throttled(500, () => this.#pages.refresh());

  constructor() {
    super();
    this.filter = allPairs;
    this.index = 0;
    this.failure = null;
    this.said = "";
    this.revision = 0;
    this.tabIndex = -1;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = [
      listen(this.feed, "scoresChanged", () => this.#refresh.ask()),
      onKeys(this, (event) => pressKey(this.#actions, event)),
    ];
    const released = (event: KeyboardEvent) => {
      const { flicker, stopFlicker } = this.#actions;
      if (flicker.keys.includes(event.key) && performance.now() - this.#pressedAt > holdMs) stopFlicker.run();
    };
    window.addEventListener("keyup", released);
    this.#stop.push(() => window.removeEventListener("keyup", released));
    if (this.hasUpdated) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stop) stop();
    this.#refresh.stop();
    this.#pages?.close();
    this.#pictures?.close();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get("project") as typeof this.project | undefined;
    const other = changed.has("project") && before?.config !== this.project.config;
    if (other) {
      const kept = this.kept as Partial<Kept> | undefined;
      this.filter = { ...allPairs, ...kept?.filter };
      this.index = kept?.index ?? 0;
      this.#overruling = createOverruling({
        host: this.host,
        config: this.project.config,
        pages: () => this.#pages,
        onChange: () => this.revision++,
        onRefused: (error, index) => {
          this.failure = failureOf(error);
          this.#goTo(index);
        },
      });
    }
    if (changed.has("focusOn") && this.focusOn?.hash) {
      this.filter = { ...allPairs, image: this.focusOn.hash };
      this.index = 0;
    }
    if (other || changed.has("filter")) this.#open();
    else if (before && labelled(before) !== labelled(this.project)) this.#refresh.ask();
  }

  protected override updated(): void {
    const next = this.#pages.at(this.index + 1);
    if (next) this.#pictures.preload([next.a, next.b]);
  }

  protected override firstUpdated(): void {
    takeFocus(this);
  }

  #open(): void {
    this.#pages?.close();
    this.#pictures?.close();
    const { host } = this;
    const { config } = this.project;
    const query = { ...this.filter };
    this.#pictures = createPictures(host, config);
    this.#pages = createPages({
      fetch: (offset, limit) => host.request("leaf/pairs", { config, query: { ...query, offset, limit } }),
      onChange: () => this.#changed(),
      onError: (error) => {
        this.failure = failureOf(error);
      },
      pageSize: 50,
    });
    this.#pages.look(this.index, this.index + 1);
  }

  #changed(): void {
    const { total } = this.#pages;
    if (total !== null && this.index >= total) this.index = Math.max(0, total - 1);
    this.revision++;
  }

  get #view(): PairView | null {
    return this.renderRoot.querySelector("leaf-pair-view");
  }

  #setFilter(filter: PairFilter): void {
    this.filter = filter;
    this.index = 0;
    this.#keepPlace();
  }

  #keepPlace(): void {
    this.keep({ filter: { ...this.filter, image: undefined }, index: this.index } satisfies Kept);
  }

  #goTo(index: number): void {
    const last = (this.#pages.total ?? 1) - 1;
    const next = Math.max(0, Math.min(last, index));
    if (next === this.index && index > last) this.said = this.host.text("This is the last pair.");
    this.index = next;
    this.#keepPlace();
  }

  get #actions() {
    const { host, index } = this;
    const pair = this.#pages.at(index);
    return pairActions({
      host,
      index,
      total: this.#pages.total,
      pair,
      canTakeBack: (pair && pair.human !== null) || this.#overruling.any,
      flickers: this.#view?.flicker ?? false,
      does: this.#does,
    });
  }

  #does: PairState["does"] = {
    say: (p) => {
      if (!this.#pages.at(this.index)) return;
      const words =
        p === 0.5 ? this.host.text("the same") : this.host.text("{0} is better", p > 0.5 ? "A" : "B");
      this.failure = null;
      this.said = this.host.text("Pair {0}: {1}.", this.index + 1, words);
      this.#overruling.say(this.index, p);
      this.#goTo(this.index + 1);
    },
    takeBack: () => {
      const index = this.#overruling.takeBack(this.index);
      if (index === undefined) return;
      this.#goTo(index);
      this.said = this.host.text("Pair {0}: your word is taken back.", index + 1);
    },
    goTo: (index) => this.#goTo(index),
    flicker: () => {
      const view = this.#view;
      this.#pressedAt = performance.now();
      if (view?.steady) view.swap();
      else if (view?.flicker) view.stopFlicker();
      else view?.startFlicker();
      this.revision++;
    },
    stopFlicker: () => {
      this.#view?.stopFlicker();
      this.revision++;
    },
    view: () => this.#view,
  };

  protected override render() {
    const { host, project, filter, index } = this;
    const text = host.text;
    const { total } = this.#pages;
    const pair = this.#pages.at(index);
    const failure = this.refusal(this.failure, () => {
      this.failure = null;
      this.#pages.refresh();
    });
    const empty = () => pairEmpty(host, project, filtered(filter), () => this.#setFilter(allPairs));
    if (total === 0 && !filtered(filter)) return html`${failure}${empty()}`;
    const named = filter.image && pair ? (pair.a.hash === filter.image ? pair.a : pair.b).path : undefined;
    const actions = this.#actions;
    return html`
      <div class="bar" role="toolbar" aria-label=${text("Filter and view")}>
        ${pairFilters(host, filter, named?.slice(named.lastIndexOf("/") + 1), (next) => this.#setFilter(next))}
        <span class="place figure">${total ? text("Pair {0} of {1}", count(index + 1), count(total)) : nothing}</span>
        ${viewTools(host, actions)}
      </div>
      ${failure}
      ${
        total === 0
          ? empty()
          : pair
            ? this.#pair(pair, actions)
            : html`<p class="bar muted">${this.failure ? nothing : text("Loading…")}</p>`
      }
      <span class="only-read" role="status">${this.said}</span>
    `;
  }

  #pair(pair: PairRow, actions: PairActions) {
    const { host, project } = this;
    return html`<leaf-pair-view .host=${host} .pictures=${this.#pictures} .pair=${pair}></leaf-pair-view>
      <div class="below">
        ${pairCaption(host, project, "A", pair.a)}
        <leaf-judgement-bar .host=${host} .pair=${pair}></leaf-judgement-bar>
        ${pairCaption(host, project, "B", pair.b)}
      </div>
      ${wordBar(host, actions)}
      <leaf-pair-strip
        .host=${host}
        .pages=${this.#pages}
        .pictures=${this.#pictures}
        .current=${this.index}
        .revision=${this.revision}
        @pick=${(event: CustomEvent<number>) => this.#goTo(event.detail)}
      ></leaf-pair-strip>`;
  }
}

const filtered = ({ show, confidence, image }: PairFilter) =>
  show !== "all" || confidence !== undefined || image !== undefined;

const labelled = ({ stages }: Pairs["project"]) => {
  const label = stages.find(({ stage }) => stage === "label");
  return `${label?.headline} ${label?.updated}`;
};

customElements.define("leaf-pairs", Pairs);
