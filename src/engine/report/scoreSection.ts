import { fitLogistic, type Logistic, logistic } from "../metrics/agreement.ts";
import type { Prediction } from "../pipeline/predictions.ts";
import type { ReportData } from "./data.ts";
import { type Html, html, key, section } from "./html.ts";
import { extent, plot, polyline } from "./plot.ts";

/** More dots than this hide each other and swell the file. */
const mostDots = 3000;
const curvePoints = 60;

/** Predicted scores against human ones, and how both are distributed. */
export function scoreSection(data: ReportData): Html | null {
  const { predictions, sampleScores } = data;
  if (predictions.length === 0 && sampleScores.length === 0) return null;
  return section(
    "Scores",
    html`<div class="plots">${predictions.length > 0 && scatter(data)}${histogram(data)}</div>`,
  );
}

function scatter({ predictions, range }: ReportData): Html {
  const fit = fitLogistic(
    Float64Array.from(predictions, (one) => one.score),
    Float64Array.from(predictions, (one) => one.mos),
  );
  const dots = evenly(predictions, mostDots);
  const scores = extent(predictions.map((one) => one.score));
  const span = pad(scores, 0.04);
  const mos = pad(extent([...predictions.map((one) => one.mos), ...(fit ? [] : range)]), 0.04);
  const drawn = plot(
    "Predicted score against MOS",
    { x: span, y: mos, xLabel: "predicted score", yLabel: "MOS" },
    (frame) => [
      ...dots.map(
        (one) => html`<circle class="dot" cx="${frame.x(one.score)}" cy="${frame.y(one.mos)}" r="2.4"/>`,
      ),
      sameLine(span, mos, frame),
      ...(fit ? [polyline(curve(fit, scores, mos), frame, "curve")] : []),
    ],
  );
  const shown =
    dots.length < predictions.length
      ? `${dots.length} of ${predictions.length} images`
      : `${dots.length} images`;
  return html`<figure>${drawn}<figcaption>${shown}. Dashed: prediction = MOS.${fit ? key("orange", "4-parameter logistic fit") : ""}</figcaption></figure>`;
}

function sameLine(x: [number, number], y: [number, number], frame: Parameters<typeof polyline>[1]): Html {
  const [low, high] = [Math.max(x[0], y[0]), Math.min(x[1], y[1])];
  return high > low
    ? polyline(
        [
          [low, low],
          [high, high],
        ],
        frame,
        "same",
      )
    : html``;
}

function curve(fit: Logistic, [low, high]: [number, number], mos: [number, number]): [number, number][] {
  return Array.from({ length: curvePoints }, (_, i) => {
    const x = low + ((high - low) * i) / (curvePoints - 1);
    return [x, Math.max(mos[0], Math.min(mos[1], logistic(fit, x)))];
  });
}

const bins = 20;

function histogram({ predictions, sampleScores, range }: ReportData): Html {
  const rated = predictions.length > 0;
  const scores = rated ? predictions.map((one) => one.score) : sampleScores;
  const mos = predictions.map((one) => one.mos);
  const [low, high] = extent([...scores, ...mos, ...range]);
  const count = (values: number[]) => {
    const counts = new Array<number>(bins).fill(0);
    for (const value of values)
      counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins))]!++;
    return counts;
  };
  const [ofScores, ofMos] = [count(scores), count(mos)];
  const edge = (i: number) => low + ((high - low) * i) / bins;
  const most = Math.max(1, ...ofScores, ...ofMos);
  const steps = ofMos.flatMap((n, i): [number, number][] => [
    [edge(i), n],
    [edge(i + 1), n],
  ]);
  const drawn = plot(
    "Histogram of scores",
    { x: [low, high], y: [0, most * 1.05], xLabel: "score", yLabel: "images", wholeY: true },
    (frame) => [
      ...ofScores.map((n, i) => {
        const [x, width] = [frame.x(edge(i)), frame.x(edge(i + 1)) - frame.x(edge(i))];
        return html`<rect class="bar" x="${x + 0.5}" width="${Math.max(0.5, width - 1).toFixed(1)}" y="${frame.y(n)}" height="${(frame.y(0) - frame.y(n)).toFixed(1)}"/>`;
      }),
      ...(rated ? [polyline([[low, 0], ...steps, [high, 0]], frame, "outline")] : []),
    ],
  );
  return html`<figure>${drawn}<figcaption>${key("blue", "predicted")}${
    rated ? key("orange", "MOS") : `on a sample of ${scores.length} images`
  }</figcaption></figure>`;
}

/** At most `most` of the items, spread over all. */
export function evenly(items: readonly Prediction[], most: number): readonly Prediction[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}

function pad([low, high]: [number, number], share: number): [number, number] {
  const room = (high - low || 1) * share;
  return [low - room, high + room];
}
