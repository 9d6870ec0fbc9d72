import { css, html, LitElement, nothing } from "lit";
import type { RunSummary } from "../../src/protocol/project.ts";
import { ago, duration } from "../../src/words/duration.ts";
import { count, figure, interval, signed } from "../../src/words/figure.ts";
import { render } from "../../src/words/text.ts";
import { changeWords } from "../../src/words/why.ts";
import type { Host } from "../host.ts";
import "../ui/icon.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";
import {
  baselineOf,
  changesOf,
  configName,
  configsOf,
  deltaOf,
  figureOf,
  type Measure,
  measures,
  type Sort,
  type SortKey,
  sortRuns,
} from "./figures.ts";

/** All runs, sortable and selectable. Fires `sort`, `choose` (ids) and `pin`. */
class RunTable extends LitElement {
  static override properties = {
    host: { attribute: false },
    runs: { attribute: false },
    all: { attribute: false },
    selected: { attribute: false },
    sort: { attribute: false },
    baseline: { attribute: false },
  };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      td.changes {
        min-width: 26ch;
        max-width: 44ch;
        overflow-wrap: break-word;
      }
      td.changes div + div {
        margin-top: 2px;
      }
      td.tight,
      th.tight {
        width: 1px;
        padding-inline: 4px;
        white-space: nowrap;
      }
      tbody tr:hover {
        background: var(--vscode-list-hoverBackground);
      }
      tbody tr[aria-selected="true"] {
        background: var(--vscode-list-inactiveSelectionBackground);
        outline: 1px dotted var(--vscode-contrastActiveBorder, transparent);
        outline-offset: -1px;
      }
      thead button {
        padding: 0;
        border: 0;
        white-space: nowrap;
        color: inherit;
      }
      thead leaf-icon {
        transform: scale(0.8);
      }
      .delta {
        display: block;
        font-size: 0.92em;
      }
      .pin:not([aria-pressed="true"]) {
        opacity: 0.55;
      }
      .pin[aria-pressed="true"] {
        background: none;
        border-color: transparent;
        color: inherit;
      }
      .pin:hover,
      .pin:focus-visible {
        opacity: 1;
      }
      input[type="checkbox"] {
        margin: 2px 0 0;
        accent-color: var(--vscode-focusBorder);
      }
    `,
  ];
  declare host: Host;
  declare runs: RunSummary[];
  /** Those that are not shown too: one may be compared with. */
  declare all: RunSummary[];
  declare selected: string[];
  declare sort: Sort;
  declare baseline: string | undefined;

  protected override render() {
    const text = this.host.text;
    const against = this.baseline
      ? text("Against {0}", this.baseline)
      : text("Compared with the previous run of the same config");
    return html`<div class="scroll">
      <table aria-label=${text("Runs")} aria-multiselectable="true">
        <thead>
          <tr>
            <th class="tight" scope="col"><span class="only-read">${text("Select")}</span></th>
            <th class="tight" scope="col"><span class="only-read">${text("Pinned")}</span></th>
            ${this.#heading("id", text("Run/noun"))} ${this.#heading("created", text("When"))}
            ${this.#severalConfigs ? html`<th scope="col">${text("Config")}</th>` : nothing}
            <th scope="col" title=${against}>${text("What changed")}</th>
            ${this.#heading("srcc", "SRCC", text("Spearman rank correlation with MOS"))}
            ${this.#heading("plcc", text("PLCC, raw"), text("Pearson correlation of raw scores with MOS"))}
            ${this.#heading("plccLogistic", text("PLCC, after fit"), text("Pearson correlation after the 4-parameter logistic fit"))}
            ${this.#heading("krcc", "KRCC", text("Kendall rank correlation with MOS"))}
            ${this.#heading("rmse", "RMSE", text("Root mean square error in MOS points; lower is better"))}
            <th scope="col" class="number">n</th>
            ${this.#heading("agreement", text("With teacher"), text("SRCC of the distilled student with the teacher, on validation images"))}
            ${this.#heading("ratings", text("Ratings"), text("Human scores used to calibrate"))}
            ${this.#heading("seconds", text("Took"))}
            <th scope="col">${text("Commit")}</th>
          </tr>
        </thead>
        <tbody>
          ${sortRuns(this.runs, this.sort).map((run) => this.#row(run))}
        </tbody>
      </table>
    </div>`;
  }

  #heading(key: SortKey, name: string, title = name) {
    const { sort } = this;
    const sorted = sort.key === key;
    const direction = sorted ? (sort.descending ? "descending" : "ascending") : "none";
    const numeric = key !== "id" && key !== "created";
    const change = () =>
      this.#fire("sort", { key, descending: sorted ? !sort.descending : key !== "id" && key !== "rmse" });
    return html`<th scope="col" class=${numeric ? "number" : ""} aria-sort=${direction}>
      <button title=${this.host.text("Sort by: {0}", title)} @click=${change}>
        ${name}${sorted ? html`<leaf-icon name=${sort.descending ? "arrow-down" : "arrow-up"}></leaf-icon>` : nothing}
      </button>
    </th>`;
  }

  #row(run: RunSummary) {
    const text = this.host.text;
    const { id, created, evaluation, agreement, ratings, seconds, gitCommit, pinned, state, reason } = run;
    const selected = this.selected.includes(id);
    const baseline = baselineOf(run, this.all, this.baseline);
    const changes = changesOf(run, baseline);
    const pin = pinned ? text("Unpin {0}", id) : text("Pin {0}: it is kept by clean", id);
    return html`<tr aria-selected=${String(selected)}>
      <td class="tight">
        <input
          type="checkbox"
          .checked=${selected}
          aria-label=${text("Select {0}", id)}
          @change=${(event: Event) => this.#select(id, (event.target as HTMLInputElement).checked)}
        />
      </td>
      <td class="tight">
        <button class="icon pin" title=${pin} aria-label=${pin} aria-pressed=${String(pinned)} @click=${() => this.#fire("pin", run)}>
          <leaf-icon name=${pinned ? "pinned" : "pin"}></leaf-icon>
        </button>
      </td>
      <th scope="row">${id}${id === this.baseline ? html` <span class="muted">${text("(baseline)")}</span>` : nothing}</th>
      <td title=${new Date(created).toLocaleString()}>
        ${ago(text, created, Date.now())}${state === "done" ? nothing : html` <span class=${state === "failed" ? "poor" : "muted"} title=${reason ? render(reason, text) : nothing}>${stateWord(text, state)}</span>`}
      </td>
      ${this.#severalConfigs ? html`<td>${configName(run.config)}</td>` : nothing}
      <td class="changes" title=${baseline ? text("Against {0}", baseline.id) : nothing}>
        ${changes.length > 0 ? changes.map((change) => html`<div>${changeWords(text, change)}</div>`) : html`<span class="muted">${baseline ? text("nothing") : id === this.baseline ? "–" : text("first run")}</span>`}
      </td>
      ${measures.map((measure) => this.#figure(run, measure))}
      <td class="number">${evaluation ? count(evaluation.n) : "–"}</td>
      <td class="number">${figure(agreement?.srcc)}</td>
      <td class="number">${ratings === null ? "–" : count(ratings)}</td>
      <td class="number">${duration(text, seconds)}</td>
      <td>${gitCommit ? html`<code>${gitCommit.slice(0, 7)}</code>` : "–"}</td>
    </tr>`;
  }

  #figure(run: RunSummary, measure: Measure) {
    const text = this.host.text;
    const baseline = baselineOf(run, this.all, this.baseline);
    const delta = deltaOf(run, baseline, measure);
    const ci = measure === "srcc" || measure === "plcc" ? run.evaluation?.ci95[measure] : null;
    const words = delta
      ? delta.mayBeChance
        ? text("Against {0}, which lies inside this run's 95 % interval: it may be chance", baseline!.id)
        : text("Against {0}", baseline!.id)
      : "";
    const tone =
      !delta || delta.mayBeChance || Math.abs(delta.difference) < 0.0005
        ? "muted"
        : delta.better
          ? "good"
          : "poor";
    return html`<td class="number" title=${ci ? text("95 % interval {0}", interval(ci)) : nothing}>
      ${figure(figureOf(run, measure))}
      ${delta ? html`<span class="delta ${tone}" title=${words}>${signed(delta.difference)}</span>` : nothing}
    </td>`;
  }

  get #severalConfigs(): boolean {
    return configsOf(this.runs).length > 1;
  }

  #select(id: string, on: boolean) {
    this.#fire("choose", on ? [...this.selected, id] : this.selected.filter((one) => one !== id));
  }

  #fire(type: "sort" | "choose" | "pin", detail: unknown) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function stateWord(text: Host["text"], state: RunSummary["state"]): string {
  switch (state) {
    case "running":
      return text("running");
    case "failed":
      return text("failed");
    case "cancelled":
      return text("stopped");
    case "done":
      return text("done");
  }
}

customElements.define("leaf-run-table", RunTable);
