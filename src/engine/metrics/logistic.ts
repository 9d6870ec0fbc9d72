import { isConstant } from "./correlation.ts";
import { orderOf } from "./rank.ts";

/** b1 … b4 of f(x) = (b1 − b2) / (1 + exp(−(x − b3) / |b4|)) + b2. */
export type Logistic = [b1: number, b2: number, b3: number, b4: number];

/** The 4-parameter logistic of VQEG (2003) and Sheikh, Sabir and Bovik (IEEE TIP 2006, "A Statistical Evaluation …"). */
export function logistic([b1, b2, b3, b4]: Logistic, x: number): number {
  return (b1 - b2) / (1 + Math.exp(-(x - b3) / Math.abs(b4))) + b2;
}

/** Points that choose where to start; all points decide the fit. */
const startPoints = 1000;
const maxSteps = 300;

/**
 * Least squares fit of the logistic to y over x. b1 and b2 are linear, so that only the midpoint b3 and the logarithm of the
 * slope's width b4 are searched: the best of a grid and of the customary start (b3 = mean, b4 = std / 4), refined by
 * Levenberg and Marquardt. Null for constant values or fewer than 5 points, which four parameters fit whatever they are.
 */
export function fitLogistic(x: Float64Array, y: Float64Array): Logistic | null {
  if (x.length < 5 || isConstant(x) || isConstant(y)) return null;
  const [xs, ys] = [standardise(x), standardise(y)];
  const starts = startsOf(xs.values, ys.values);
  const few = x.length <= 20 * startPoints ? 4 : 1;
  let best: Fit | undefined;
  for (const start of starts.slice(0, few)) {
    const fit = refine(xs.values, ys.values, start);
    if (!best || fit.error < best.error) best = fit;
  }
  const { b1, b2, b3, width } = best!;
  return [
    ys.mean + ys.scale * b1,
    ys.mean + ys.scale * b2,
    xs.mean + xs.scale * b3,
    xs.scale * Math.exp(width),
  ];
}

function standardise(values: Float64Array): { values: Float64Array; mean: number; scale: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value / n, 0);
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value - mean)), 0);
  const variance = values.reduce((sum, value) => sum + ((value - mean) / largest) ** 2 / n, 0);
  const scale = largest * Math.sqrt(variance);
  return { values: values.map((value) => (value - mean) / scale), mean, scale };
}

interface Fit {
  b1: number;
  b2: number;
  b3: number;
  /** ln b4. */
  width: number;
  /** Sum of squares. */
  error: number;
}

function startsOf(x: Float64Array, y: Float64Array): Fit[] {
  const order = orderOf(x);
  const n = Math.min(order.length, startPoints);
  const pick = (i: number) => order[Math.floor(((i + 0.5) * order.length) / n)]!;
  const xs = Float64Array.from({ length: n }, (_, i) => x[pick(i)]!);
  const ys = Float64Array.from({ length: n }, (_, i) => y[pick(i)]!);
  const fits = [solveLinear(xs, ys, 0, Math.log(0.25))];
  for (let q = 1; q < 12; q++) {
    for (const width of [0.03, 0.1, 0.3, 0.6, 1, 2, 4])
      fits.push(solveLinear(xs, ys, xs[Math.floor((q * n) / 12)]!, Math.log(width)));
  }
  for (const middle of [-3, 0, 3]) fits.push(solveLinear(xs, ys, middle, Math.log(8)));
  return fits.sort((a, b) => a.error - b.error);
}

/** The best b1 and b2 for a midpoint and a width: y regressed on s = 1 / (1 + exp(−z)). */
function solveLinear(x: Float64Array, y: Float64Array, b3: number, width: number): Fit {
  const n = x.length;
  const b4 = Math.exp(width);
  const s = x.map((value) => 1 / (1 + Math.exp(-(value - b3) / b4)));
  let [meanS, meanY] = [0, 0];
  for (let i = 0; i < n; i++) {
    meanS += s[i]! / n;
    meanY += y[i]! / n;
  }
  let [sy, ss] = [0, 0];
  for (let i = 0; i < n; i++) {
    sy += (s[i]! - meanS) * (y[i]! - meanY);
    ss += (s[i]! - meanS) ** 2;
  }
  const slope = ss > 1e-300 ? sy / ss : 0;
  const b2 = meanY - slope * meanS;
  let error = 0;
  for (let i = 0; i < n; i++) error += (y[i]! - meanY - slope * (s[i]! - meanS)) ** 2;
  return { b1: b2 + slope, b2, b3, width, error };
}

/**
 * Levenberg and Marquardt on the two nonlinear parameters, b1 and b2 solved at each step (variable projection with Kaufman's
 * Jacobian: the columns of b3 and ln b4 less their regression on 1 and s).
 */
function refine(x: Float64Array, y: Float64Array, start: Fit): Fit {
  let fit = solveLinear(x, y, start.b3, start.width);
  let damping = 1e-3;
  for (let step = 0; step < maxSteps && damping < 1e12; step++) {
    const [a11, a12, a22, g1, g2] = normalEquations(x, y, fit);
    const [d1, d2] = [a11 * (1 + damping) + 1e-14, a22 * (1 + damping) + 1e-14];
    const determinant = d1 * d2 - a12 * a12;
    const move3 = (d2 * g1 - a12 * g2) / determinant;
    const moveWidth = (d1 * g2 - a12 * g1) / determinant;
    const next = solveLinear(x, y, limit(fit.b3 + move3, 1e4), limit(fit.width + limit(moveWidth, 2), 12));
    if (!(next.error <= fit.error)) {
      damping *= 4;
      continue;
    }
    const gain = fit.error - next.error;
    fit = next;
    damping = Math.max(damping / 5, 1e-12);
    if (gain <= 1e-15 * fit.error && Math.abs(move3) + Math.abs(moveWidth) < 1e-7) break;
  }
  return fit;
}

function limit(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}

function normalEquations(
  x: Float64Array,
  y: Float64Array,
  fit: Fit,
): [number, number, number, number, number] {
  const n = x.length;
  const b4 = Math.exp(fit.width);
  const height = fit.b1 - fit.b2;
  const [s, j3, jw, r] = [0, 1, 2, 3].map(() => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let meanS = 0;
  for (let i = 0; i < n; i++) {
    const z = (x[i]! - fit.b3) / b4;
    const e = Math.exp(-Math.abs(z));
    s[i] = z >= 0 ? 1 / (1 + e) : e / (1 + e);
    const slope = e / (1 + e) ** 2;
    j3[i] = (-height * slope) / b4;
    jw[i] = -height * slope * z;
    r[i] = y[i]! - fit.b2 - height * s[i]!;
    meanS += s[i]! / n;
  }
  project(j3, s, meanS);
  project(jw, s, meanS);
  let [a11, a12, a22, g1, g2] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    a11 += j3[i]! * j3[i]!;
    a12 += j3[i]! * jw[i]!;
    a22 += jw[i]! * jw[i]!;
    g1 += j3[i]! * r[i]!;
    g2 += jw[i]! * r[i]!;
  }
  return [a11, a12, a22, g1, g2];
}

/** Takes the part that 1 and s explain off a column. */
function project(column: Float64Array, s: Float64Array, meanS: number): void {
  const n = column.length;
  let mean = 0;
  for (const value of column) mean += value / n;
  let [cs, ss] = [0, 0];
  for (let i = 0; i < n; i++) {
    cs += (column[i]! - mean) * (s[i]! - meanS);
    ss += (s[i]! - meanS) ** 2;
  }
  const slope = ss > 1e-300 ? cs / ss : 0;
  for (let i = 0; i < n; i++) column[i] = column[i]! - mean - slope * (s[i]! - meanS);
}
