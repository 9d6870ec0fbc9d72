import { css, html, LitElement, nothing } from "lit";
import type { ExperimentFormat, ExperimentResult } from "../../src/protocol/experiments.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import "../charts/chart.ts";
import type { Host } from "../host.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { armChart } from "./armChart.ts";
import "./armTable.ts";

const formats: readonly [ExperimentFormat, string][] = [
  ["markdown", "Markdown"],
  ["latex", "LaTeX"],
  ["csv", "CSV"],
];

/** One experiment's figures: a table, a chart, and both to be taken elsewhere. */
class Experiment extends LitElement {
  static override properties = {
    host: { attribute: false },
    experiment: { type: String },
    result: { attribute: false },
    stale: { type: Boolean },
    told: { state: true },
    failure: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      .copy {
        margin: 8px 0 0;
        gap: 4px 12px;
      }
      .stale {
        margin-bottom: 6px;
      }
      leaf-chart {
        margin-top: 18px;
        max-width: 760px;
      }
    `,
  ];
  declare host: Host;
  /** URI of its file. */
  declare experiment: string;
  declare result: ExperimentResult;
  declare stale: boolean;
  declare told: string;
  declare failure: Failure | undefined;
  #chart: { of: ExperimentResult; made: ReturnType<typeof armChart> } | undefined;

  protected override render() {
    const { host, result, failure } = this;
    const text = host.text;
    // The same function for the same result, so that the chart is not drawn anew at every update.
    if (this.#chart?.of !== result) this.#chart = { of: result, made: armChart(result, text) };
    const { made } = this.#chart;
    return html`${
      this.stale
        ? html`<p class="stale warning">${text("The file or its config has changed since this table was made: run it again.")}</p>`
        : nothing
    }
      <leaf-arm-table .host=${host} .result=${result}></leaf-arm-table>
      <div class="row copy">
        <span class="muted">${text("Copy as")}</span>
        ${formats.map(
          ([format, name]) =>
            html`<button class="link" @click=${() => this.#copy(format, name)} aria-label=${text("Copy the table as {0}", name)}>${name}</button>`,
        )}
        <span class="muted" role="status">${this.told}</span>
      </div>
      ${failure ? html`<leaf-refusal .host=${host} .failure=${failure}></leaf-refusal>` : nothing}
      ${
        made
          ? html`<leaf-chart .host=${host} heading=${made.heading} note=${made.note} .legend=${made.legend} .draw=${made.draw} .table=${made.table}></leaf-chart>`
          : nothing
      }`;
  }

  async #copy(format: ExperimentFormat, name: string) {
    try {
      const { text } = await this.host.request("leaf/experimentText", {
        experiment: this.experiment,
        format,
      });
      await this.host.request("host/copy", { text });
      this.failure = undefined;
      this.told = this.host.text("Copied as {0}.", name);
      setTimeout(() => {
        this.told = "";
      }, 1500);
    } catch (error) {
      this.failure = failureOf(error);
    }
  }
}

customElements.define("leaf-experiment", Experiment);
