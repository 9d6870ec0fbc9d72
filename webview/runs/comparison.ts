import { css, html, LitElement, nothing } from "lit";
import type { RunSummary } from "../../src/protocol/project.ts";
import type { CurvePoint, RunCurves } from "../../src/protocol/server.ts";
import "../charts/chart.ts";
import type { ChartTable } from "../charts/csv.ts";
import { drawLines, type Series } from "../charts/lines.ts";
import { colorOf } from "../charts/palette.ts";
import type { Host } from "../host.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";
import { differences } from "./figures.ts";

type Figure = "loss" | "srcc" | "plcc";

/** What differs between the selected runs' configs, and their curves over one another. */
class Comparison extends LitElement {
  static override properties = {
    host: { attribute: false },
    runs: { attribute: false },
    curves: { attribute: false },
  };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      h2 {
        margin: 26px 0 8px;
      }
      .charts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr));
        gap: 18px 28px;
      }
      table {
        width: auto;
      }
      td {
        overflow-wrap: anywhere;
      }
    `,
  ];
  declare host: Host;
  declare runs: RunSummary[];
  declare curves: Map<string, RunCurves>;

  protected override render() {
    const text = this.host.text;
    const rows = differences(this.runs);
    return html`<h2>${text("What differs")}</h2>
      ${
        rows.length === 0
          ? html`<p class="muted">${text("Their configs are the same.")}</p>`
          : html`<div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">${text("Setting")}</th>
                    ${this.runs.map(({ id }) => html`<th scope="col">${id}</th>`)}
                  </tr>
                </thead>
                <tbody>
                  ${rows.map(
                    ({ setting, values }) =>
                      html`<tr>
                        <th scope="row"><code>${setting}</code></th>
                        ${values.map((value) => html`<td>${value ?? html`<span class="muted">–</span>`}</td>`)}
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
      <h2>${text("Curves")}</h2>
      <div class="charts">
        ${this.#chart("distill", "loss", text("Distill Student: loss"), text("loss (no unit)"))}
        ${this.#chart("distill", "srcc", text("Distill Student: validation SRCC"), text("SRCC, −1 to 1"))}
        ${this.#chart("calibrate", "loss", text("Calibrate Student: loss"), text("loss (no unit)"))}
        ${this.#chart("calibrate", "plcc", text("Calibrate Student: validation PLCC"), text("PLCC, −1 to 1"))}
      </div>`;
  }

  #chart(stage: keyof RunCurves, measure: Figure, heading: string, yLabel: string) {
    const text = this.host.text;
    const series = this.runs.flatMap(({ id }, at): Series[] => {
      const points = pointsOf(this.curves.get(id)?.[stage] ?? [], measure);
      // Every second run is dashed: colour alone does not tell them apart.
      return points.length > 0 ? [{ name: id, color: colorOf(at), points, dashed: at % 2 === 1 }] : [];
    });
    if (series.length === 0) return nothing;
    return html`<leaf-chart
      .host=${this.host}
      heading=${heading}
      .legend=${series.map(({ name, color, dashed }) => ({ name, color, dashed }))}
      .draw=${(width: number) => drawLines(width, { series, xLabel: text("epoch"), yLabel, label: heading })}
      .table=${tableOf(series, text("epoch"))}
    ></leaf-chart>`;
  }
}

function pointsOf(curve: readonly CurvePoint[], measure: Figure): [number, number][] {
  return curve.flatMap((point): [number, number][] => {
    const value = point[measure];
    return value === null ? [] : [[point.epoch, value]];
  });
}

function tableOf(series: readonly Series[], epoch: string): ChartTable {
  const epochs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = series.map(({ points }) => new Map(points));
  return {
    columns: [epoch, ...series.map(({ name }) => name)],
    rows: epochs.map((x) => [x, ...columns.map((column) => column.get(x) ?? null)]),
  };
}

customElements.define("leaf-comparison", Comparison);
