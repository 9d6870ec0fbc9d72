import { type Html, html } from "./html.ts";

/** A drawing with axes: maps data to a viewBox of fixed size; the page's style gives the colours. */
export interface Frame {
  x(value: number): number;
  y(value: number): number;
  width: number;
  height: number;
}

export interface Axes {
  x: [low: number, high: number];
  y: [low: number, high: number];
  xLabel: string;
  yLabel: string;
  /** Whole numbers only, as epochs and counts. */
  wholeX?: boolean;
  wholeY?: boolean;
}

const margin = { left: 46, right: 10, top: 10, bottom: 36 };

/** An SVG figure with what `draw` draws into the frame; `title` is what a screen reader says. */
export function plot(title: string, axes: Axes, draw: (frame: Frame) => Html[], size = [340, 250]): Html {
  const [width, height] = size as [number, number];
  const [x0, x1] = widened(axes.x);
  const [y0, y1] = widened(axes.y);
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  const frame: Frame = {
    x: (value) => round(margin.left + ((value - x0) / (x1 - x0)) * inner.width),
    y: (value) => round(margin.top + (1 - (value - y0) / (y1 - y0)) * inner.height),
    width,
    height,
  };
  const bottom = height - margin.bottom;
  const xTicks = ticks(x0, x1, axes.wholeX).map(
    ([at, text]) =>
      html`<line class="grid" x1="${frame.x(at)}" x2="${frame.x(at)}" y1="${margin.top}" y2="${bottom}"/><text x="${frame.x(at)}" y="${bottom + 14}" text-anchor="middle">${text}</text>`,
  );
  const yTicks = ticks(y0, y1, axes.wholeY).map(
    ([at, text]) =>
      html`<line class="grid" y1="${frame.y(at)}" y2="${frame.y(at)}" x1="${margin.left}" x2="${width - margin.right}"/><text x="${margin.left - 5}" y="${frame.y(at) + 4}" text-anchor="end">${text}</text>`,
  );
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}"><title>${title}</title>
${xTicks}${yTicks}
<text x="${margin.left + inner.width / 2}" y="${height - 4}" text-anchor="middle" class="label">${axes.xLabel}</text>
<text transform="translate(11 ${margin.top + inner.height / 2}) rotate(-90)" text-anchor="middle" class="label">${axes.yLabel}</text>
${draw(frame)}</svg>`;
}

export function polyline(points: readonly (readonly [number, number])[], frame: Frame, style: string): Html {
  const path = points.map(([x, y], i) => `${i ? "L" : "M"}${frame.x(x)} ${frame.y(y)}`).join("");
  return html`<path d="${path}" class="${style}"/>`;
}

/** Room around constant values, so that every value has a place. */
function widened([low, high]: [number, number]): [number, number] {
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

/** About five round values within a range, with their text (steps of 1, 2 or 5 times a power of ten). */
export function ticks(low: number, high: number, whole = false): [number, string][] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step0 = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999) ?? 10 * power;
  const step = whole ? Math.max(1, Math.round(step0)) : step0;
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  const found: [number, string][] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push([i * step, (i * step).toFixed(decimals)]);
  return found;
}

export function extent(values: Iterable<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
