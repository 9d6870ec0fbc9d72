import { css, html, LitElement, nothing } from "lit";
import type { Failure } from "../../src/protocol/jobs.ts";
import type { CalibrationMetrics, TeacherReliability } from "../../src/protocol/reliability.ts";
import { count, figure, percent } from "../../src/words/figure.ts";
import "../charts/chart.ts";
import { quiet } from "../charts/palette.ts";
import type { Host } from "../host.ts";
import "../ui/button.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";
import type { Thumbnails } from "../ui/thumbnails.ts";
import "../ui/waiting.ts";
import "./confidentErrors.ts";
import { drawReliability, reliabilityTable } from "./reliabilityDiagram.ts";

/** Whether the teacher is right when it is sure, by the human scores there are. Computed when asked for. Fires `pairs` with a hash. */
class Reliability extends LitElement {
  static override properties = {
    host: { attribute: false },
    config: { type: String },
    thumbnails: { attribute: false },
    version: { type: Number },
    found: { state: true },
    failure: { state: true },
    busy: { state: true },
  };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      .charts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr));
        gap: 20px 32px;
        margin: 12px 0;
        max-width: 900px;
      }
      table {
        max-width: 640px;
      }
      h3 {
        margin-top: 20px;
      }
    `,
  ];
  declare host: Host;
  declare config: string;
  declare thumbnails: Thumbnails;
  declare version: number;
  declare found: TeacherReliability | undefined;
  declare failure: Failure | undefined;
  declare busy: boolean;

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.get("config") === undefined || changed.get("config") === this.config) return;
    this.found = undefined;
    this.failure = undefined;
  }

  #load = async () => {
    const { config } = this;
    this.busy = true;
    this.failure = undefined;
    try {
      const found = await this.host.request("leaf/reliability", { config });
      if (config === this.config) this.found = found;
    } catch (error) {
      if (config === this.config) this.failure = failureOf(error);
    } finally {
      this.busy = false;
    }
  };

  protected override render() {
    const text = this.host.text;
    return html`<h2>${text("Is the teacher right?")}</h2>${this.#body()}`;
  }

  #body() {
    const { host, found, failure, busy } = this;
    const text = host.text;
    if (busy) return html`<leaf-waiting></leaf-waiting>`;
    if (failure)
      return html`<leaf-refusal .host=${host} .failure=${failure} retriable @retry=${this.#load}></leaf-refusal>`;
    if (!found)
      return html`<p class="muted">
          ${text("Confidence against accuracy of its judgements, where there are human scores; and the pairs it was surest of and got wrong.")}
        </p>
        <vscode-button appearance="secondary" @click=${this.#load}>${text("Check the Teacher")}</vscode-button>`;
    const { pairs, points, positionBias } = found;
    return html`<p class="muted figure">${this.#facts(found).join(" · ")}</p>
      ${positionBias && positionBias.flipped > 0 ? html`<p>${text("The order of the question decides {0} of {1} pairs.", percent(positionBias.flipped), count(positionBias.pairs))}</p>` : nothing}
      <div class="charts">
        ${pairs ? this.#chart(text("Pairs: claimed against right"), pairs.bins) : nothing}
        ${pairs ? this.#chart(text("Pairs: right by confidence"), pairs.byConfidence, false) : nothing}
        ${points ? this.#chart(text("Single images: claimed against right"), points.bins) : nothing}
      </div>
      ${this.#figures(found)} ${this.#groups(found)}
      <leaf-confident-errors
        .host=${host}
        .errors=${found.confidentErrors}
        .thumbnails=${this.thumbnails}
        version=${this.version}
        @pairs=${(event: CustomEvent<string>) => this.dispatchEvent(new CustomEvent("pairs", { detail: event.detail }))}
      ></leaf-confident-errors>`;
  }

  #facts({ kind, rated, calibration, pairs, points }: TeacherReliability): string[] {
    const text = this.host.text;
    return [
      text("{0} teacher", kind),
      text("{0} training images with a MOS, {1} of them for calibration", count(rated), count(calibration)),
      pairs
        ? text("{0} pairs whose MOS differ by {1} or more", count(pairs.n), figure(pairs.threshold, 2))
        : "",
      points?.srcc == null ? "" : text("SRCC of its scores {0}", figure(points.srcc)),
    ].filter((fact) => fact !== "");
  }

  #chart(heading: string, bins: Parameters<typeof drawReliability>[1], claims = true) {
    const text = this.host.text;
    const claimed = claims ? text("claimed probability of being right") : text("confidence, 0 to 1");
    return html`<leaf-chart
      .host=${this.host}
      heading=${heading}
      .legend=${claims ? [{ name: text("claimed = right"), color: quiet, dashed: true }] : [{ name: text("a coin toss"), color: quiet, dashed: true }]}
      .draw=${(width: number) => drawReliability(width, bins, { claimed, right: text("share that was right"), diagonal: claims })}
      .table=${reliabilityTable(bins, text)}
    ></leaf-chart>`;
  }

  #figures({ pairs, points }: TeacherReliability) {
    const text = this.host.text;
    const row = (name: string, metrics: CalibrationMetrics | null | undefined) =>
      metrics
        ? html`<tr>
            <th scope="row">${name}</th>
            <td class="number">${count(metrics.n)}</td>
            <td class="number">${figure(metrics.right)}</td>
            <td class="number">${figure(metrics.ece)}</td>
            <td class="number">${figure(metrics.brier)}</td>
            <td class="number">${figure(metrics.auroc)}</td>
          </tr>`
        : nothing;
    const scaled = (name: string, kind: TeacherReliability["pairs"] | TeacherReliability["points"]) => {
      const t = kind?.temperature;
      if (!t || t.temperature === null) return nothing;
      return html`${row(text("{0}, other than calibration images", name), t.before)}
      ${row(text("{0}, these scaled by T = {1}", name, figure(t.temperature, 2)), t.after)}`;
    };
    return html`<div class="scroll">
      <table>
        <caption class="muted">${text("Temperature T is fitted on calibration images alone.")}</caption>
        <thead>
          <tr>
            <th scope="col">${text("Judgements")}</th>
            <th scope="col" class="number">n</th>
            <th scope="col" class="number">${text("right")}</th>
            <th scope="col" class="number" title=${text("Expected calibration error: mean distance of claimed and right")}>ECE</th>
            <th scope="col" class="number">Brier</th>
            <th scope="col" class="number" title=${text("How well confidence tells right from wrong answers: 0.5 not at all, 1 perfectly")}>AUROC</th>
          </tr>
        </thead>
        <tbody>
          ${row(text("Pairs"), pairs)} ${scaled(text("Pairs"), pairs)} ${row(text("Single images"), points)}
          ${scaled(text("Single images"), points)}
        </tbody>
      </table>
    </div>
    ${pairs?.minConfidence.value == null ? nothing : html`<p>${text("Pairs are right significantly more often than not from a confidence of {0} on (by {1} pairs of calibration images): label.minConfidence.", figure(pairs.minConfidence.value, 2), count(pairs.minConfidence.n))}</p>`}`;
  }

  #groups({ groups }: TeacherReliability) {
    const text = this.host.text;
    if (groups.length < 2) return nothing;
    return html`<h3>${text("By group, worst first")}</h3>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${text("Group")}</th>
              <th scope="col" class="number">${text("Pairs")}</th>
              <th scope="col" class="number">${text("right")}</th>
              <th scope="col" class="number">${text("confidently wrong")}</th>
            </tr>
          </thead>
          <tbody>
            ${groups.slice(0, 12).map(
              (group) =>
                html`<tr>
                  <th scope="row">${group.group}</th>
                  <td class="number">${count(group.pairs)}</td>
                  <td class="number">${figure(group.right)}</td>
                  <td class="number">${count(group.confidentlyWrong)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;
  }
}

customElements.define("leaf-reliability", Reliability);
