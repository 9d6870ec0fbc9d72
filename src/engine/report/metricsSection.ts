import type { CalibrateResult, Metrics } from "../../protocol/results.ts";
import { ceilingText } from "../../words/ceiling.ts";
import { figure, interval } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { english } from "../../words/translate.ts";
import type { Config } from "../config/config.ts";
import type { ReportData } from "./data.ts";
import { type Html, html, section, table } from "./html.ts";

/** The figures that people look for first. */
export function headline({ evaluation }: ReportData): Html {
  if (!evaluation) return html``;
  const big = (label: string, value: number | null, note: string) =>
    html`<div><span>${label}</span><b>${figure(value)}</b><span>${note}</span></div>`;
  return html`<div class="headline">
${big("SRCC", evaluation.srcc, `95 % ${interval(evaluation.ci95.srcc)}`)}
${big("PLCC", evaluation.plcc, `95 % ${interval(evaluation.ci95.plcc)}`)}
${big("RMSE", evaluation.rmse, "points of the MOS scale")}
${big("KRCC", evaluation.krcc, "tau-b")}
</div>`;
}

/** Agreement with people: the distilled and the calibrated student on the same held-out images. */
export function metricsSection(data: ReportData): Html | null {
  const { evaluation, distilled, run } = data;
  if (!evaluation) return null;
  const row = (title: string, m: Metrics) => [
    title,
    String(m.n),
    html`${figure(m.srcc)} <span class="quiet">${interval(m.ci95.srcc)}</span>`,
    html`${figure(m.plcc)} <span class="quiet">${interval(m.ci95.plcc)}</span>`,
    figure(m.plccLogistic),
    figure(m.krcc),
    figure(m.rmse),
  ];
  const rows = [
    ...(distilled && evaluation.student === "calibrate"
      ? [row("TGD: distilled, no human scores", distilled)]
      : []),
    row(
      evaluation.student === "distill" ? "TGD: distilled, no human scores" : calibratedName(run),
      evaluation,
    ),
    ...(evaluation.targets ?? []).map((one) => row(`The same student's ${one.name}`, one)),
  ];
  return section(
    "Agreement with people",
    html`<div class="numbers">${table(["Student", "n", "SRCC", "PLCC", "PLCC, logistic fit", "KRCC", "RMSE"], rows)}</div>`,
    html`<p class="quiet">On the ${evaluation.split} split${evaluation.failed > 0 ? html`; ${evaluation.failed} images could not be scored` : ""}.
In brackets: 95 % bootstrap intervals${evaluation.groups === undefined ? " over images" : ""}. ${groupsNote(english, evaluation.groups)} SRCC, KRCC and RMSE are of raw scores, PLCC of raw scores and after the 4-parameter logistic fit.</p>`,
    evaluation.targets
      ? html`<p class="quiet">Rows of ${evaluation.targets.map(({ name }) => name).join(", ")} compare with people's scores of that target, RMSE on its own scale; all else in this report is of the first target.</p>`
      : html``,
    evaluation.ceiling ? html`<p>${ceilingText(english, evaluation.ceiling)}</p>` : html``,
    ...(evaluation.targets ?? []).map(({ name, ceiling }) =>
      ceiling ? html`<p>${name}: ${ceilingText(english, ceiling)}</p>` : html``,
    ),
  );
}

/** Where `calibrate.from` is `auto`, the stage's result says what it came to. */
function calibratedName({ stages, config }: ReportData["run"]): string {
  const decided = (stages.calibrate?.result as CalibrateResult | undefined)?.from;
  return (decided ?? (config as Partial<Config>).calibrate?.from) !== "backbone"
    ? "TGD + CFT: calibrated"
    : "CFT only: calibrated from the backbone";
}
