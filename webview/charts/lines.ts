import { ink, quiet } from "./palette.ts";
import { drawPlot, plot } from "./plot.ts";

export interface Series {
  name: string;
  color: string;
  points: readonly (readonly [x: number, y: number | null])[];
  /** A thin line without dots, for what is read between the points that count. */
  faint?: boolean;
  dashed?: boolean;
}

export interface LinesOptions {
  series: readonly Series[];
  xLabel: string;
  yLabel: string;
  height?: number;
  /** Whole range of x, where more is to come. */
  xMax?: number;
  yDomain?: [number, number];
  label: string;
}

/** Line chart of a few series over one axis. */
export function drawLines(width: number, options: LinesOptions): SVGSVGElement {
  const { series, xLabel, yLabel, height = 200, xMax, yDomain, label } = options;
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const end = Math.max(xMax ?? 1, ...xs, 1);
  return drawPlot({
    width,
    height,
    marginLeft: 44,
    marginRight: 12,
    marginTop: 22,
    marginBottom: 34,
    ariaLabel: label,
    x: { domain: [Math.min(0, ...xs), end] },
    y: { domain: yDomain, nice: true, zero: false },
    marks: [
      plot.gridY({ stroke: quiet, strokeOpacity: 0.35 }),
      plot.axisX({
        label: xLabel,
        ticks: Math.min(10, Math.max(2, Math.floor(width / 70))),
        tickFormat: wholeTick,
        labelAnchor: "right",
        labelArrow: "none",
        color: ink,
      }),
      plot.axisY({ label: yLabel, ticks: 5, labelArrow: "none", color: ink }),
      plot.ruleX([Math.min(0, ...xs)], { stroke: quiet }),
      ...series.flatMap(({ points, color, faint, dashed }) => {
        const shown = points.filter(([, y]) => y !== null);
        const at = {
          x: (point: Series["points"][number]) => point[0],
          y: (point: Series["points"][number]) => point[1]!,
        };
        const line = plot.lineY(shown, {
          ...at,
          stroke: color,
          strokeWidth: faint ? 1 : 2,
          strokeOpacity: faint ? 0.5 : 1,
          strokeDasharray: dashed ? "4 3" : undefined,
        });
        // A line of one point would not be seen.
        return faint || shown.length > 40 ? [line] : [line, plot.dot(shown, { ...at, fill: color, r: 2 })];
      }),
    ],
  });
}

const wholeTick = (value: number) => (Number.isInteger(value) ? String(value) : "");
