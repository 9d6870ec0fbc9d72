import { css, html, LitElement, nothing } from "lit";
import "../charts/chart.ts";
import type { LegendItem } from "../charts/chart.ts";
import { drawLines, type Series } from "../charts/lines.ts";
import { colorOf } from "../charts/palette.ts";
import type { Host } from "../host.ts";
import { baseStyles } from "../ui/styles.ts";
import { lossesWithinEpochs, type Training } from "./jobView.ts";

/** Losses and validation of one training stage, as they come. `version` changes when `training` grew. */
class TrainingCharts extends LitElement {
  static override properties = {
    host: { attribute: false },
    heading: { type: String },
    training: { attribute: false },
    version: { type: Number },
  };
  static override styles = [
    baseStyles,
    css`
      .charts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr));
        gap: 16px 28px;
      }
    `,
  ];
  declare host: Host;
  declare heading: string;
  declare training: Training;
  declare version: number;

  protected override render() {
    const text = this.host.text;
    const { epochs, epochsTotal, bestEpoch } = this.training;
    const parts = [...new Set(epochs.flatMap((point) => Object.keys(point.parts)))];
    const losses: Series[] = [
      { name: text("total"), color: colorOf(0), points: epochs.map(({ epoch, loss }) => [epoch, loss]) },
      ...parts.map((name, at) => ({
        name,
        color: colorOf(at + 1),
        points: epochs.map(({ epoch, parts }): [number, number | null] => [epoch, parts[name] ?? null]),
      })),
    ];
    const within: Series = {
      name: "",
      color: colorOf(0),
      points: lossesWithinEpochs(this.training),
      faint: true,
    };
    const validation: Series[] = (["srcc", "plcc"] as const).map((measure, at) => ({
      name: measure.toUpperCase(),
      color: colorOf(at + 2),
      points: epochs.map((point) => [point.epoch, point[measure]]),
    }));
    const hasValidation = validation.some(({ points }) => points.some(([, y]) => y !== null));
    const epochLabel = text("epoch");
    const xMax = epochsTotal ?? undefined;
    const note = bestEpoch === null ? undefined : text("epoch {0} is kept", bestEpoch);
    return html`<div class="charts">
      <leaf-chart
        .host=${this.host}
        heading=${text("{0}: loss", this.heading)}
        .legend=${legend(losses)}
        .draw=${(width: number) =>
          drawLines(width, {
            series: [within, ...losses],
            xLabel: epochLabel,
            yLabel: text("loss (no unit)"),
            xMax,
            label: text("{0}: loss by epoch", this.heading),
          })}
        .table=${{
          columns: [epochLabel, text("total"), ...parts],
          rows: epochs.map(({ epoch, loss, parts: of }) => [
            epoch,
            loss,
            ...parts.map((name) => of[name] ?? null),
          ]),
        }}
      ></leaf-chart>
      ${
        hasValidation
          ? html`<leaf-chart
              .host=${this.host}
              heading=${text("{0}: validation", this.heading)}
              .note=${note}
              .legend=${legend(validation)}
              .draw=${(width: number) =>
                drawLines(width, {
                  series: validation,
                  xLabel: epochLabel,
                  yLabel: text("correlation, −1 to 1"),
                  xMax,
                  label: text("{0}: validation by epoch", this.heading),
                })}
              .table=${{
                columns: [epochLabel, "SRCC", "PLCC"],
                rows: epochs.map(({ epoch, srcc, plcc }) => [epoch, srcc, plcc]),
              }}
            ></leaf-chart>`
          : nothing
      }
    </div>`;
  }
}

const legend = (series: Series[]): LegendItem[] =>
  series.map(({ name, color, dashed }) => ({ name, color, dashed }));

customElements.define("leaf-training-charts", TrainingCharts);
