import { css, html, LitElement, nothing } from "lit";
import type { ArmResult, ExperimentResult, ReportedMetric } from "../../src/protocol/experiments.ts";
import { medianText, notFree } from "../../src/words/experiment.ts";
import { count, figure, interval, pValue, signed } from "../../src/words/figure.ts";
import type { Host } from "../host.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";
import { comparedMetric, failuresOf, imagesOf, level, toneOf } from "./armFigures.ts";

const shownSettings = 3;

/** An experiment's rows: mean ± deviation over seeds, the difference to the baseline, why trials failed; then published figures. */
class ArmTable extends LitElement {
  static override properties = { host: { attribute: false }, result: { attribute: false } };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      .scroll {
        max-height: 70vh;
        overflow: auto;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--vscode-editor-background);
      }
      tbody th {
        min-width: 16ch;
        max-width: 44ch;
        overflow-wrap: anywhere;
      }
      .setting {
        display: block;
        font-size: 0.92em;
      }
      .reason td {
        padding-inline-start: 20px;
        overflow-wrap: anywhere;
      }
      tr.has-reason > * {
        border-bottom: 0;
        padding-bottom: 0;
      }
      .paper {
        font-style: italic;
      }
      .notes {
        margin-top: 6px;
        max-width: 110ch;
      }
    `,
  ];
  declare host: Host;
  declare result: ExperimentResult;

  protected override render() {
    const text = this.host.text;
    const { name, arms, report, paper } = this.result;
    const compared = comparedMetric(this.result);
    const columns = 4 + report.length + (compared ? 2 : 0);
    return html`<div class="scroll" tabindex="0">
        <table aria-label=${text("Experiment {0}", name)}>
          <thead>
            <tr>
              <th scope="col">${text("Arm")}</th>
              <th scope="col" class="number" title=${text("Human scores used to calibrate")}>${text("Ratings")}</th>
              <th scope="col" class="number">${text("Seeds")}</th>
              <th scope="col" class="number" title=${text("Held-out images")}>n</th>
              ${report.map((metric) => html`<th scope="col" class="number">${metricName(text, metric)}</th>`)}
              ${
                compared
                  ? html`<th scope="col" class="number">Δ ${metricName(text, compared)} ${text("[95 %]")}</th>
                      <th scope="col" class="number" title=${text("Two-sided, corrected over the rows (Holm)")}>${text("p, Holm")}</th>`
                  : nothing
              }
            </tr>
          </thead>
          <tbody>
            ${arms.map((arm) => this.#arm(arm, compared, columns))}
            ${paper?.rows.map((row) => {
              const published: Partial<Record<ReportedMetric, number>> = { srcc: row.srcc, plcc: row.plcc };
              return html`<tr class="paper">
                <th scope="row">${text("Published: {0} on {1}", row.name, paper.dataset)}</th>
                ${[0, 1, 2].map(() => html`<td class="number muted">–</td>`)}
                ${report.map((metric) => html`<td class="number">${figure(published[metric])}</td>`)}
                ${compared ? html`<td></td><td></td>` : nothing}
              </tr>`;
            })}
          </tbody>
        </table>
      </div>
      <p class="notes muted">${this.#notes(compared).join(" ")}</p>`;
  }

  #arm(arm: ArmResult, compared: ReportedMetric | undefined, columns: number) {
    const text = this.host.text;
    const { trials, ratings } = arm;
    const failures = failuresOf(arm, text);
    const done = trials.filter(({ state }) => state === "done").length;
    const images = imagesOf(arm).map(count);
    return html`<tr class=${failures.length > 0 ? "has-reason" : ""}>
        <th scope="row">${this.#name(arm)}</th>
        <td class="number">${ratings === null ? "–" : count(ratings)}${notFree(arm) ? "†" : nothing}</td>
        <td class="number">${done === trials.length ? count(done) : text("{0} of {1}", count(done), count(trials.length))}</td>
        <td class="number">${images.length > 0 ? images.join("–") : "–"}</td>
        ${this.result.report.map((metric) => this.#mean(arm, metric))}
        ${compared ? this.#difference(arm, compared) : nothing}
      </tr>
      ${failures.map(
        ({ reason, seeds }) =>
          html`<tr class="reason">
            <td colspan=${columns} class="poor">${text("Failed, seed {0}: {1}", seeds.join(", "), reason)}</td>
          </tr>`,
      )}`;
  }

  #name({ name, settings }: ArmResult) {
    const text = this.host.text;
    const { arms, compare } = this.result;
    const baseline = name === compare || arms.some(({ versus }) => versus?.baseline === name);
    const all = Object.entries(settings).map(([key, value]) => `${key}: ${value}`);
    const more = all.length - shownSettings;
    return html`<span title=${all.join("\n")}
      ><bdi>${name}</bdi>${baseline ? html` <span class="muted">${text("(baseline)")}</span>` : nothing}
      ${all.slice(0, shownSettings).map((setting) => html`<bdi class="setting muted">${setting}</bdi>`)}
      ${more > 0 ? html`<span class="setting muted">${text("and {0} more", count(more))}</span>` : nothing}</span
    >`;
  }

  #mean({ means, quartiles, trials, versus }: ArmResult, metric: ReportedMetric) {
    const found = means[metric];
    if (!found) {
      const failed = trials.length > 0 && trials.every(({ state }) => state === "failed");
      return html`<td class="number ${failed ? "poor" : "muted"}">${failed ? this.host.text("failed") : "–"}</td>`;
    }
    const test = versus?.tests[metric];
    if (quartiles)
      return html`<td class="number">${medianText(quartiles[metric])}${test && test.pHolm < level ? "*" : nothing}</td>`;
    return html`<td class="number">
      ${figure(found.mean)}${found.sd === null ? nothing : html` <span class="muted">± ${figure(found.sd)}</span>`}${test && test.pHolm < level ? "*" : nothing}
    </td>`;
  }

  #difference({ versus }: ArmResult, metric: ReportedMetric) {
    const test = versus?.tests[metric];
    if (!test) return html`<td class="number muted">–</td><td class="number muted">–</td>`;
    const { difference, pHolm } = test;
    return html`<td class="number">
        <span class=${toneOf(test, metric)}>${signed(difference)}</span> <span class="muted">${interval(test.interval, 3, signed)}</span>
      </td>
      <td class="number">${pValue(pHolm)}</td>`;
  }

  #notes(compared: ReportedMetric | undefined): string[] {
    const text = this.host.text;
    const { arms, seeds, compare, bootstrap, resplit, target } = this.result;
    const notes = [
      ...(target === undefined ? [] : [text("Figures of the target “{0}”.", target)]),
      this.result.summary === "median" && seeds.length > 1
        ? text("Median [quartiles] over {0} seeds; n: held-out images.", count(seeds.length))
        : seeds.length > 1
          ? text("Mean ± sample standard deviation over {0} seeds; n: held-out images.", count(seeds.length))
          : text("Seed {0} alone; n: held-out images.", String(seeds[0])),
    ];
    if (resplit) notes.push(text("Each seed draws its own split."));
    if (arms.some(notFree))
      notes.push(
        text(
          "† Not free of human scores: label.minConfidence: auto fits one number on the MOS of the calibration images.",
        ),
      );
    if (compared && compare)
      notes.push(
        text(
          "Δ, its 95 % interval and p against “{0}”: paired bootstrap over images or their groups ({1} resamples), two-sided, Holm-corrected over the rows; * p < 0.05.",
          compare,
          count(bootstrap),
        ),
      );
    else if (compare) notes.push(text("Differences to “{0}” are tested at the end.", compare));
    return notes;
  }
}

function metricName(text: Host["text"], metric: ReportedMetric): string {
  switch (metric) {
    case "srcc":
      return "SRCC";
    case "plcc":
      return text("PLCC, raw");
    case "plccLogistic":
      return text("PLCC, after fit");
    case "krcc":
      return "KRCC";
    case "rmse":
      return "RMSE";
  }
}

customElements.define("leaf-arm-table", ArmTable);
