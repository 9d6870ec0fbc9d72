import { css, html, nothing, type PropertyValues } from "lit";
import type { Failure } from "../../src/protocol/jobs.ts";
import type { RunSummary } from "../../src/protocol/project.ts";
import type { EvaluationView } from "../../src/protocol/server.ts";
import "../charts/chart.ts";
import { colorOf, quiet } from "../charts/palette.ts";
import { Tab } from "../tab.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { createThumbnails, type Thumbnails } from "../ui/thumbnails.ts";
import "../ui/waiting.ts";
import "./arms.ts";
import "./figures.ts";
import "./findings.ts";
import "./head.ts";
import "./imageCard.ts";
import "./notEvaluated.ts";
import "./reliability.ts";
import { drawScatter, type Point, type Scatter } from "./scatter.ts";
import { stepTo } from "./stepping.ts";
import "./transfer.ts";
import "./worst.ts";

interface Kept {
  /** A run that was chosen; the newest evaluation otherwise. */
  run?: string;
  /** The main one otherwise. */
  target?: string;
  selected?: string;
  worst?: number;
}

const worstAtFirst = 12;

/** How well the student agrees with human scores, and where it does not. */
class Metrics extends Tab {
  static override properties = {
    ...Tab.properties,
    view: { state: true },
    runs: { state: true },
    failure: { state: true },
    pictures: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        padding: 12px 16px 24px;
        container-type: inline-size;
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr);
        gap: 20px 32px;
      }
      .side > * + * {
        margin-top: 22px;
      }
      .below > * {
        display: block;
        margin-top: 30px;
      }
      @container (max-width: 760px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];
  /** undefined while it is asked for. */
  declare view: EvaluationView | null | undefined;
  declare runs: RunSummary[];
  declare failure: Failure | undefined;
  declare pictures: number;
  #thumbnails!: Thumbnails;
  #scatter: Scatter | undefined;
  #draw = (_width: number): SVGSVGElement => document.createElementNS("http://www.w3.org/2000/svg", "svg");
  #worst: Point[] = [];
  #asked = "";

  get #kept(): Kept {
    return (this.kept as Kept | undefined) ?? {};
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.runs = [];
    this.pictures = 0;
    this.#thumbnails = createThumbnails(this.host, this.project.config, () => {
      this.pictures++;
    });
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("focusOn")) {
      const { hash, runs } = this.focusOn ?? {};
      if (hash || runs?.[0]) this.keep({ ...this.#kept, selected: hash, run: runs?.[0] ?? this.#kept.run });
    }
    const stage = this.#stage;
    const asked = `${this.#kept.run} ${this.#kept.target} ${stage?.run} ${stage?.updated}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    void this.#load();
  }

  get #stage() {
    return this.project.stages.find(({ stage }) => stage === "evaluate");
  }

  async #load() {
    const { config } = this.project;
    const asked = this.#asked;
    try {
      const [runs, view] = await Promise.all([
        this.host.request("leaf/runs", { config }),
        this.host.request("leaf/evaluation", { config, run: this.#kept.run, target: this.#kept.target }),
      ]);
      if (asked !== this.#asked) return;
      this.failure = undefined;
      this.runs = runs.filter(({ evaluation }) => evaluation !== null);
      this.#show(view);
    } catch (error) {
      if (asked === this.#asked) this.failure = failureOf(error);
    }
  }

  #show(view: EvaluationView | null) {
    this.view = view;
    if (!view) return;
    this.#worst = [...view.points].sort((a, b) => Math.abs(b.score - b.mos) - Math.abs(a.score - a.mos));
    this.#draw = (width) => {
      this.#scatter = drawScatter(width, view, this.host.text);
      const { svg } = this.#scatter;
      svg.setAttribute("tabindex", "0");
      svg.setAttribute("role", "application");
      svg.setAttribute(
        "aria-label",
        this.host.text(
          "Predicted against MOS: {0} images. Arrow keys go from image to image.",
          view.points.length,
        ),
      );
      svg.addEventListener("click", this.#onClick);
      svg.addEventListener("keydown", this.#onKey);
      this.#scatter.mark(this.#selectedAt);
      return svg;
    };
  }

  get #selectedAt(): number {
    return this.view?.points.findIndex(({ hash }) => hash === this.#kept.selected) ?? -1;
  }

  #onClick = (event: MouseEvent) => {
    const at = this.#scatter?.nearest(event.clientX, event.clientY) ?? -1;
    this.#select(this.view?.points[at]?.hash);
  };

  #onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.view) return;
    const to = stepTo(this.view.points, this.#selectedAt, event.key);
    if (to !== undefined) this.#select(this.view.points[to]?.hash);
    else if (event.key === "Enter") this.#open();
    else if (event.key === "g") this.#showInGallery();
    else if (event.key === "Escape") this.#select(undefined);
    else return;
    event.preventDefault();
  };

  #select(hash: string | undefined) {
    this.keep({ ...this.#kept, selected: hash });
    this.#scatter?.mark(this.#selectedAt);
    if (hash) void this.#thumbnails.want([hash]);
  }

  #open() {
    const path = this.view?.points[this.#selectedAt]?.path;
    if (!path) return;
    const uri = `${this.project.folder}/${path.split("/").map(encodeURIComponent).join("/")}`;
    void this.host.request("host/openFile", { uri, beside: true });
  }

  #showInGallery() {
    const { selected } = this.#kept;
    if (selected) this.go("gallery", { hash: selected });
  }

  protected override render() {
    const { host, view, failure } = this;
    if (failure) return this.refusal(failure, this.#load);
    if (view === undefined) return html`<leaf-waiting></leaf-waiting>`;
    if (view === null) {
      const rated = (this.project.mos?.rated ?? 0) > 0;
      return html`<leaf-not-evaluated .host=${host} ?rated=${rated} @run=${this.#run} @rate=${() => this.go("rate")}></leaf-not-evaluated>`;
    }
    const selected = view.points[this.#selectedAt];
    if (selected) void this.#thumbnails.want([selected.hash]);
    const text = host.text;
    return html`<leaf-metrics-head
        .host=${host}
        .view=${view}
        .stage=${this.#stage}
        .runs=${this.runs}
        @choose=${this.#chooseRun}
        @target=${this.#chooseTarget}
        @run=${this.#run}
      ></leaf-metrics-head>
      <leaf-findings .host=${host} .findings=${view.evaluation.findings}></leaf-findings>
      <div class="columns">
        <leaf-chart
          .host=${host}
          heading=${text("Predicted against MOS")}
          .legend=${[
            ...(view.fit ? [{ name: text("4-parameter logistic fit"), color: colorOf(1) }] : []),
            { name: text("score = MOS"), color: quiet, dashed: true },
          ]}
          .draw=${this.#draw}
          .table=${{
            columns: [text("image"), text("score"), "MOS", text("teacher")],
            rows: view.points.map(({ path, score, mos, teacher }) => [path, score, mos, teacher]),
          }}
        ></leaf-chart>
        <div class="side">
          <leaf-figures .host=${host} .view=${view}></leaf-figures>
          <leaf-image-card
            .host=${host}
            .point=${selected}
            .address=${selected ? this.#thumbnails.get(selected.hash) : undefined}
            @open=${this.#open}
            @gallery=${this.#showInGallery}
          ></leaf-image-card>
        </div>
      </div>
      <div class="below">
        <leaf-worst
          .host=${host}
          .points=${this.#worst}
          .thumbnails=${this.#thumbnails}
          selected=${this.#kept.selected ?? ""}
          shown=${this.#kept.worst ?? worstAtFirst}
          version=${this.pictures}
          @pick=${(event: CustomEvent<string>) => this.#select(event.detail)}
          @more=${() => this.keep({ ...this.#kept, worst: (this.#kept.worst ?? worstAtFirst) + 24 })}
        ></leaf-worst>
        <leaf-arms .host=${host} .view=${view}></leaf-arms>
        ${view.evaluation.transfer ? html`<leaf-transfer .host=${host} .transfer=${view.evaluation.transfer}></leaf-transfer>` : nothing}
        <leaf-reliability
          .host=${host}
          config=${this.project.config}
          .thumbnails=${this.#thumbnails}
          version=${this.pictures}
          @pairs=${(event: CustomEvent<string>) => this.go("pairs", { hash: event.detail })}
        ></leaf-reliability>
      </div>`;
  }

  #chooseRun(event: CustomEvent<string>) {
    // The newest one is not a choice: a later evaluation takes its place.
    const run = event.detail === this.runs[0]?.id ? undefined : event.detail;
    this.keep({ ...this.#kept, run });
  }

  #chooseTarget(event: CustomEvent<string>) {
    const target = event.detail === this.view?.target?.names[0] ? undefined : event.detail;
    this.keep({ ...this.#kept, target });
  }

  #run() {
    void this.host.request("host/command", { command: "leaf.run", config: this.project.config });
  }
}

customElements.define("leaf-metrics", Metrics);
