import { css, html, LitElement, nothing } from "lit";
import type { RunSummary, StageSnapshot } from "../../src/protocol/project.ts";
import type { EvaluationView } from "../../src/protocol/server.ts";
import { ago } from "../../src/words/duration.ts";
import { count } from "../../src/words/figure.ts";
import { whyWords } from "../../src/words/why.ts";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import "../ui/dropdown.ts";
import { baseStyles } from "../ui/styles.ts";

/** What the figures are of: student, split, n, run. Fires `choose` with another run, `target` with another target, and `run` to bring stale ones up to date. */
class MetricsHead extends LitElement {
  static override properties = {
    host: { attribute: false },
    view: { attribute: false },
    stage: { attribute: false },
    runs: { attribute: false },
  };
  static override styles = [
    baseStyles,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 6px 16px;
        margin-bottom: 14px;
      }
    `,
  ];
  declare host: Host;
  declare view: EvaluationView;
  declare stage: StageSnapshot | undefined;
  /** Those that were evaluated, newest first. */
  declare runs: RunSummary[];

  protected override render() {
    const text = this.host.text;
    const { stage, view } = this;
    const { split, student, n, failed } = view.evaluation;
    const stale = stage?.state === "stale" && stage.run === view.run;
    const facts = [
      student === "calibrate" ? text("calibrated student") : text("distilled student"),
      text("{0} split, n = {1}", split, count(n)),
      failed > 0 && text("{0} images could not be scored", count(failed)),
      n < 30 && text("few images: intervals are wide"),
      stale && text("stale: {0}", whyWords(text, stage.reason)),
    ].filter((fact) => typeof fact === "string");
    return html`<div class="head">
      <div>
        <h2>${text("Agreement with human scores")}</h2>
        <p class="muted">${facts.join(" · ")}</p>
      </div>
      <div class="row">
        ${stale ? html`<vscode-button @click=${() => this.#fire("run")}>${text("Run Pipeline")}</vscode-button>` : nothing}
        ${this.#targets()}
        <span id="run" class="muted">${text("Run/noun")}</span>
        <vscode-dropdown aria-labelledby="run" @change=${this.#choose}>
          ${this.runs.map(
            ({ id, updated }) =>
              html`<vscode-option value=${id} ?selected=${id === view.run}>${id} · ${ago(text, updated, Date.now())}</vscode-option>`,
          )}
        </vscode-dropdown>
      </div>
    </div>`;
  }

  #targets() {
    const { target } = this.view;
    if (!target) return nothing;
    return html`<span id="target" class="muted">${this.host.text("Target")}</span>
      <vscode-dropdown aria-labelledby="target" @change=${this.#chooseTarget}>
        ${target.names.map((name) => html`<vscode-option value=${name} ?selected=${name === target.name}>${name}</vscode-option>`)}
      </vscode-dropdown>`;
  }

  #chooseTarget(event: Event) {
    const name = (event.target as HTMLInputElement).value;
    if (name !== this.view.target?.name) this.#fire("target", name);
  }

  #choose(event: Event) {
    const run = (event.target as HTMLInputElement).value;
    if (run !== this.view.run) this.#fire("choose", run);
  }

  #fire(type: "choose" | "run" | "target", detail?: string) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define("leaf-metrics-head", MetricsHead);
