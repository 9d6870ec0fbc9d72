import { css, html, LitElement, nothing } from "lit";
import type { Metrics } from "../../src/protocol/results.ts";
import type { EvaluationView } from "../../src/protocol/server.ts";
import { count, figure, interval } from "../../src/words/figure.ts";
import "../charts/chart.ts";
import { colorOf, ink, quiet } from "../charts/palette.ts";
import { drawPlot, plot } from "../charts/plot.ts";
import type { Host } from "../host.ts";
import { baseStyles, tableStyles } from "../ui/styles.ts";

/** The teacher alone, the distilled student and the calibrated one on the same images, beside the paper's figures. */
class Arms extends LitElement {
  static override properties = { host: { attribute: false }, view: { attribute: false } };
  static override styles = [
    baseStyles,
    tableStyles,
    css`
      .best {
        font-weight: 700;
      }
      .paper {
        font-style: italic;
      }
      leaf-chart {
        margin-top: 18px;
        max-width: 640px;
      }
    `,
  ];
  declare host: Host;
  declare view: EvaluationView;

  protected override render() {
    const text = this.host.text;
    const { arms, paper } = this.view;
    const best = (of: (metrics: Metrics) => number | null, lower = false) => {
      const values = arms.flatMap(({ metrics }) => (metrics ? [of(metrics) ?? []].flat() : []));
      return lower ? Math.min(...values) : Math.max(...values);
    };
    const bests = {
      srcc: best((m) => m.srcc),
      plcc: best((m) => m.plcc),
      fit: best((m) => m.plccLogistic),
      krcc: best((m) => m.krcc),
      rmse: best((m) => m.rmse, true),
    };
    const cell = (value: number | null, top: number, ci?: [number, number] | null) =>
      html`<td class="number ${value === top ? "best" : ""}">${figure(value)}${ci ? html` <span class="muted">${interval(ci)}</span>` : nothing}</td>`;
    return html`<h2>${text("Teacher, TGD, CFT")}</h2>
      <div class="scroll">
        <table>
          <caption class="muted">${text("The same images for all three; best in bold. Intervals are 95 %, by bootstrap over images or their groups.")}</caption>
          <thead>
            <tr>
              <th scope="col">${text("What")}</th>
              <th scope="col" class="number">n</th>
              <th scope="col" class="number">SRCC</th>
              <th scope="col" class="number">${text("PLCC, raw")}</th>
              <th scope="col" class="number">${text("PLCC, after fit")}</th>
              <th scope="col" class="number">KRCC</th>
              <th scope="col" class="number">${text("RMSE, MOS points")}</th>
            </tr>
          </thead>
          <tbody>
            ${arms.map(({ name, metrics }) => {
              const title = armTitle(text, name);
              if (!metrics)
                return html`<tr><th scope="row">${title}</th><td colspan="6" class="muted">${text("not available for this run")}</td></tr>`;
              return html`<tr>
                <th scope="row">${title}</th>
                <td class="number">${count(metrics.n)}</td>
                ${cell(metrics.srcc, bests.srcc, metrics.ci95.srcc)} ${cell(metrics.plcc, bests.plcc, metrics.ci95.plcc)}
                ${cell(metrics.plccLogistic, bests.fit)} ${cell(metrics.krcc, bests.krcc)} ${cell(metrics.rmse, bests.rmse)}
              </tr>`;
            })}
            ${paper?.rows.map(
              ({ name, srcc, plcc }) =>
                html`<tr class="paper">
                  <th scope="row">${text("Published: {0} on {1}", name, paper.dataset)}</th>
                  <td class="number muted">–</td>
                  <td class="number">${figure(srcc)}</td>
                  <td class="number muted">–</td>
                  <td class="number">${figure(plcc)}</td>
                  <td class="number muted">–</td>
                  <td class="number muted">–</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <leaf-chart
        .host=${this.host}
        heading=${text("SRCC with 95 % intervals")}
        .draw=${this.#draw}
        .table=${{
          columns: [text("What"), "SRCC", text("low"), text("high")],
          rows: [
            ...arms.map(({ name, metrics }) => [
              armTitle(text, name),
              metrics?.srcc ?? null,
              metrics?.ci95.srcc?.[0] ?? null,
              metrics?.ci95.srcc?.[1] ?? null,
            ]),
            ...(paper?.rows.map(({ name, srcc }) => [
              text("Published: {0} on {1}", name, paper.dataset),
              srcc,
              null,
              null,
            ]) ?? []),
          ],
        }}
      ></leaf-chart>`;
  }

  #draw = (width: number) => {
    const text = this.host.text;
    const { arms, paper } = this.view;
    const shown = arms.flatMap(({ name, metrics }) =>
      metrics?.srcc != null
        ? [
            {
              name: armTitle(text, name),
              srcc: metrics.srcc,
              ci: metrics.ci95.srcc ?? [metrics.srcc, metrics.srcc],
            },
          ]
        : [],
    );
    const ends = [...shown.flatMap(({ ci }) => ci), ...(paper?.rows.map(({ srcc }) => srcc) ?? [])];
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const margin = Math.max(0.02, (high - low) * 0.1);
    return drawPlot({
      width,
      height: 46 + shown.length * 30 + (paper ? 16 : 0),
      marginLeft: 130,
      marginTop: paper ? 20 : 6,
      marginBottom: 36,
      ariaLabel: text("SRCC with 95 % intervals"),
      x: { domain: [Math.max(-1, low - margin), Math.min(1, high + margin)] },
      y: { domain: shown.map(({ name }) => name), padding: 0.6 },
      marks: [
        plot.gridX({ stroke: quiet, strokeOpacity: 0.35 }),
        plot.axisX({
          label: text("SRCC, −1 to 1"),
          labelArrow: "none",
          labelAnchor: "right",
          ticks: 6,
          color: ink,
        }),
        plot.axisY({ label: null, tickSize: 0, color: ink }),
        plot.ruleX(paper?.rows ?? [], { x: "srcc", stroke: colorOf(3), strokeDasharray: "4 3" }),
        plot.text(paper?.rows ?? [], {
          x: "srcc",
          text: "name",
          frameAnchor: "top",
          dy: -12,
          fill: ink,
          lineWidth: 14,
          textOverflow: "ellipsis",
        }),
        plot.ruleY(shown, {
          y: "name",
          x1: (arm) => arm.ci[0],
          x2: (arm) => arm.ci[1],
          stroke: colorOf(0),
          strokeWidth: 2,
        }),
        plot.dot(shown, { y: "name", x: "srcc", fill: colorOf(0), r: 5 }),
      ],
    });
  };
}

function armTitle(text: Host["text"], name: EvaluationView["arms"][number]["name"]): string {
  switch (name) {
    case "teacher":
      return text("Teacher alone");
    case "TGD":
      return text("Distilled (TGD)");
    case "CFT":
      return text("Calibrated (CFT)");
  }
}

customElements.define("leaf-arms", Arms);
