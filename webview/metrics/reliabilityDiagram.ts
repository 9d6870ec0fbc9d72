import type { ReliabilityBin } from "../../src/protocol/reliability.ts";
import type { ChartTable } from "../charts/csv.ts";
import { colorOf, ink, quiet } from "../charts/palette.ts";
import { drawPlot, plot } from "../charts/plot.ts";
import type { Host } from "../host.ts";

/** A reliability diagram: what was claimed against the share that was right, with Wilson's 95 % intervals. */
export function drawReliability(
  width: number,
  bins: readonly ReliabilityBin[],
  words: { claimed: string; right: string; diagonal: boolean },
): SVGSVGElement {
  const filled = bins.filter(({ n }) => n > 0);
  const most = Math.max(1, ...filled.map(({ n }) => n));
  const low = Math.min(words.diagonal ? 1 : 0, ...bins.map((bin) => bin.low));
  const right = [...filled.flatMap(({ ci95 }) => ci95), 0.5, 1];
  return drawPlot({
    width,
    height: Math.min(280, Math.max(180, width * 0.75)),
    marginLeft: 40,
    marginBottom: 38,
    ariaLabel: words.right,
    x: { domain: [low, 1] },
    y: { domain: [Math.max(0, Math.min(...right) - 0.03), 1] },
    r: { type: "identity" },
    marks: [
      plot.gridY({ stroke: quiet, strokeOpacity: 0.35 }),
      plot.axisX({ label: words.claimed, labelArrow: "none", labelAnchor: "right", ticks: 5, color: ink }),
      plot.axisY({ label: words.right, labelArrow: "none", labelAnchor: "top", ticks: 5, color: ink }),
      words.diagonal
        ? plot.lineY(
            [
              [low, low],
              [1, 1],
            ],
            { x: (at) => at[0], y: (at) => at[1], stroke: quiet, strokeDasharray: "4 3", clip: true },
          )
        : plot.ruleY([0.5], { stroke: quiet, strokeDasharray: "4 3" }),
      plot.ruleX(filled, {
        x: "claimed",
        y1: (bin) => bin.ci95[0],
        y2: (bin) => bin.ci95[1],
        stroke: colorOf(0),
        strokeWidth: 2,
      }),
      // The area says how many judgements a bin holds.
      plot.dot(filled, {
        x: "claimed",
        y: "right",
        r: (bin) => 3 + 6 * Math.sqrt(bin.n / most),
        fill: colorOf(0),
        stroke: "var(--vscode-editor-background)",
        channels: { n: "n" },
      }),
    ],
  });
}

export function reliabilityTable(bins: readonly ReliabilityBin[], text: Host["text"]): ChartTable {
  return {
    columns: [text("from"), text("to"), "n", text("claimed"), text("right"), text("low"), text("high")],
    rows: bins
      .filter(({ n }) => n > 0)
      .map(({ low, high, n, claimed, right, ci95 }) => [
        round(low),
        round(high),
        n,
        round(claimed),
        round(right),
        round(ci95[0]),
        round(ci95[1]),
      ]),
  };
}

const round = (value: number) => Math.round(value * 1e4) / 1e4;
