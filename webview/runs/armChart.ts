import type { ArmResult, ExperimentResult } from "../../src/protocol/experiments.ts";
import type { LegendItem } from "../charts/chart.ts";
import type { ChartTable } from "../charts/csv.ts";
import { colorOf, ink, quiet } from "../charts/palette.ts";
import { drawPlot, plot } from "../charts/plot.ts";
import type { Host } from "../host.ts";

/** More rows make no chart that is read; the table has them all. */
const shownArms = 60;

interface Drawn {
  /** Place in the chart; names need not differ once they are cut. */
  key: string;
  name: string;
  mean: number;
  low: number;
  high: number;
  seeds: number[];
}

interface ArmChart {
  heading: string;
  note: string;
  legend: LegendItem[] | undefined;
  draw: (width: number) => SVGSVGElement;
  table: ChartTable;
}

/**
 * SRCC of each arm: its mean with ± one sample standard deviation over seeds, and each seed; where no arm has more than one, its
 * value with the 95 % interval over images. undefined before the first figure.
 */
export function armChart({ arms, paper }: ExperimentResult, text: Host["text"]): ArmChart | undefined {
  const overSeeds = arms.some(({ means }) => means.srcc && means.srcc.sd !== null);
  const all = arms.flatMap((arm, at) => drawnOf(arm, at, overSeeds) ?? []);
  if (all.length === 0) return undefined;
  const shown = all.slice(0, shownArms);
  const spread = overSeeds
    ? text("mean ± standard deviation over seeds; rings: each seed")
    : text("95 % intervals over images");
  const cut = all.length > shown.length ? ` · ${text("first {0} of {1}", shown.length, all.length)}` : "";
  return {
    heading: text("SRCC of each arm"),
    note: spread + cut,
    legend: paper
      ? [{ name: text("published on {0}", paper.dataset), color: colorOf(3), dashed: true }]
      : undefined,
    draw: (width) =>
      drawArms(width, shown, paper?.rows ?? [], text("SRCC of each arm"), text("SRCC, −1 to 1")),
    table: {
      columns: [text("Arm"), "SRCC", text("low"), text("high"), text("Seeds")],
      rows: [
        ...all.map(({ name, mean, low, high, seeds }) => [name, mean, low, high, seeds.length]),
        ...(paper?.rows ?? []).map(({ name, srcc }) => [
          text("Published: {0} on {1}", name, paper!.dataset),
          srcc,
          null,
          null,
          null,
        ]),
      ],
    },
  };
}

function drawnOf({ name, means, trials }: ArmResult, at: number, overSeeds: boolean): Drawn | undefined {
  if (!means.srcc) return undefined;
  const { mean, sd } = means.srcc;
  // Seeds that change nothing are one value.
  const distinct = new Map(trials.map(({ key, metrics }) => [key, metrics]));
  const metrics = [...distinct.values()].filter((one) => one !== null);
  const ci = metrics[0]?.ci95.srcc;
  const [low, high] = overSeeds ? [mean - (sd ?? 0), mean + (sd ?? 0)] : (ci ?? [mean, mean]);
  return { key: String(at), name, mean, low, high, seeds: metrics.flatMap(({ srcc }) => srcc ?? []) };
}

function drawArms(
  width: number,
  arms: readonly Drawn[],
  published: readonly { name: string; srcc: number }[],
  label: string,
  xLabel: string,
): SVGSVGElement {
  const ends = [
    ...arms.flatMap(({ low, high, seeds }) => [low, high, ...seeds]),
    ...published.map(({ srcc }) => srcc),
  ];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const margin = Math.max(0.01, (high - low) * 0.08);
  const names = new Map(arms.map(({ key, name }) => [key, name]));
  const longest = Math.max(...arms.map(({ name }) => name.length));
  const marginLeft = Math.min(Math.round(width * 0.4), 24 + Math.ceil(longest * 6.5));
  const each = arms.flatMap(({ key, seeds }) =>
    seeds.length > 1 ? seeds.map((srcc) => ({ key, srcc })) : [],
  );
  return drawPlot({
    width,
    height: 44 + arms.length * 26,
    marginLeft,
    marginRight: 12,
    marginTop: 6,
    marginBottom: 36,
    ariaLabel: label,
    x: { domain: [Math.max(-1, low - margin), Math.min(1, high + margin)] },
    y: { domain: arms.map(({ key }) => key), padding: 0.6 },
    marks: [
      plot.gridX({ stroke: quiet, strokeOpacity: 0.35 }),
      plot.axisX({
        label: xLabel,
        labelArrow: "none",
        labelAnchor: "right",
        ticks: Math.min(6, width / 90),
        color: ink,
      }),
      plot.axisY({
        label: null,
        tickSize: 0,
        color: ink,
        tickFormat: (key: string) => names.get(key) ?? "",
        lineWidth: (marginLeft - 16) / 13,
        textOverflow: "ellipsis",
      }),
      plot.ruleX(published, { x: "srcc", stroke: colorOf(3), strokeDasharray: "4 3" }),
      plot.ruleY(arms, { y: "key", x1: "low", x2: "high", stroke: colorOf(0), strokeWidth: 2 }),
      plot.dot(each, { y: "key", x: "srcc", stroke: colorOf(0), strokeOpacity: 0.7, r: 3 }),
      plot.dot(arms, { y: "key", x: "mean", fill: colorOf(0), r: 4.5 }),
    ],
  });
}
