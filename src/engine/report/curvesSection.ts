import type { CurvePoint } from "../../protocol/server.ts";
import type { ReportData } from "./data.ts";
import { type Html, html, key, section } from "./html.ts";
import { extent, plot, polyline } from "./plot.ts";

/** Loss and validation agreement of every epoch. */
export function curvesSection({ curves }: ReportData): Html | null {
  const figures = [
    ...figuresOf("distill (TGD)", curves.distill),
    ...figuresOf("calibrate (CFT)", curves.calibrate),
  ];
  return figures.length === 0 ? null : section("Training", html`<div class="plots">${figures}</div>`);
}

function figuresOf(stage: string, points: CurvePoint[]): Html[] {
  if (points.length === 0) return [];
  const epochs = extent(points.map((point) => point.epoch));
  const loss = points.map(({ epoch, loss }) => [epoch, loss] as const);
  const drawn = [
    figureOf(
      `${stage}: loss`,
      "loss",
      epochs,
      [0, Math.max(...loss.map(([, y]) => y)) * 1.05],
      [[loss, "first"]],
    ),
  ];
  const agreement = (of: "srcc" | "plcc") =>
    points.flatMap((point) => (point[of] === null ? [] : [[point.epoch, point[of]] as const]));
  const [srcc, plcc] = [agreement("srcc"), agreement("plcc")];
  if (srcc.length > 0) {
    const [low] = extent([...srcc, ...plcc].map(([, y]) => y));
    drawn.push(
      figureOf(
        `${stage}: agreement on the val split`,
        "correlation",
        epochs,
        [Math.min(low, 0.9) - 0.02, 1],
        [
          [srcc, "first"],
          [plcc, "curve"],
        ],
        html`${key("blue", "SRCC")}${key("orange", "PLCC")}`,
      ),
    );
  }
  return drawn;
}

type Line = [points: (readonly [number, number])[], style: string];

function figureOf(
  title: string,
  yLabel: string,
  x: [number, number],
  y: [number, number],
  lines: Line[],
  colours: Html = html``,
): Html {
  const drawn = plot(title, { x, y, xLabel: "epoch", yLabel, wholeX: true }, (frame) =>
    lines.map(([points, style]) => polyline(points, frame, style)),
  );
  return html`<figure>${drawn}<figcaption>${title}${colours}</figcaption></figure>`;
}
