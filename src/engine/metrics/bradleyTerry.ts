import { seededRandom } from "../base/random.ts";

/** Preferences among `n` items: P(item a[k] is better than item b[k]), each with a weight. */
export interface Preferences {
  n: number;
  a: ArrayLike<number>;
  b: ArrayLike<number>;
  p: ArrayLike<number>;
  weight?: ArrayLike<number>;
}

export interface Ranking {
  /** In log-odds; their mean is 0. Higher is better. */
  score: Float64Array;
  /** Standard error of each. */
  error: Float64Array;
  /** Preferences that each item takes part in. */
  pairs: Uint32Array;
  /** How far preferences scatter around the fit, beside single yes-or-no answers (1). */
  dispersion: number;
}

/** Precision of the normal prior around 0, in preferences: it keeps an item that always wins finite, and says little beside a few answers. */
export const priorPrecision = 0.1;
const mostSteps = 50;
const tolerance = 1e-8;
/** Up to so many items the errors are exact; of more they are estimated from random probes. */
const exactUpTo = 400;
const probes = 64;

/**
 * Bradley-Terry scores (Bradley and Terry 1952): P(a better) = 1 / (1 + exp(s_b − s_a)), by maximum a posteriori with a normal prior of
 * precision `prior`. Preferences may be probabilities (fractional logit: Papke and Wooldridge 1996). Newton's method; each step is
 * solved by conjugate gradients on the sparse graph of pairs. Errors are the square roots of the diagonal of the inverse Hessian,
 * times the dispersion (quasi-likelihood: Wedderburn 1974), where there are more preferences than items.
 */
export function fitBradleyTerry(preferences: Preferences, prior = priorPrecision): Ranking {
  const { score, dispersion, curvature, pairs } = bradleyTerryScores(preferences, prior);
  const variance = diagonal(preferences, curvature, prior);
  return { score, error: variance.map((v) => Math.sqrt(dispersion * v)), pairs, dispersion };
}

/** The fit without its errors, which cost more than it does. */
export interface Scores extends Omit<Ranking, "error"> {
  /** Of each preference: weight times q (1 − q). */
  curvature: Float64Array;
  /** Of each item: the diagonal of the Hessian. One over it is at most the variance, and close to it where partners are drawn at random. */
  information: Float64Array;
}

export function bradleyTerryScores(preferences: Preferences, prior = priorPrecision): Scores {
  const { n, a, b, p, weight } = preferences;
  const count = p.length;
  const score = new Float64Array(n);
  const curvature = new Float64Array(count);
  const gradient = new Float64Array(n);
  const chance = (k: number) => 1 / (1 + Math.exp(score[b[k]!]! - score[a[k]!]!));
  const loss = () => {
    let total = 0;
    for (let k = 0; k < count; k++) {
      const d = score[a[k]!]! - score[b[k]!]!;
      total += (weight?.[k] ?? 1) * (Math.max(0, d) + Math.log1p(Math.exp(-Math.abs(d))) - p[k]! * d);
    }
    for (const s of score) total += (prior * s * s) / 2;
    return total;
  };
  let last = loss();
  for (let step = 0; step < mostSteps; step++) {
    for (let i = 0; i < n; i++) gradient[i] = -prior * score[i]!;
    for (let k = 0; k < count; k++) {
      const [w, q] = [weight?.[k] ?? 1, chance(k)];
      curvature[k] = w * q * (1 - q);
      gradient[a[k]!]! += w * (p[k]! - q);
      gradient[b[k]!]! -= w * (p[k]! - q);
    }
    if (gradient.every((one) => Math.abs(one) < tolerance)) break;
    const move = solve(preferences, curvature, prior, gradient);
    // Newton's step may go too far where answers are certain: half of it, until it pays.
    const before = score.slice();
    let now = Number.POSITIVE_INFINITY;
    for (let share = 1; share > 1e-6 && !(now < last); share /= 2) {
      for (let i = 0; i < n; i++) score[i] = before[i]! + share * move[i]!;
      now = loss();
    }
    if (!(now < last)) {
      // No step pays within rounding.
      score.set(before);
      break;
    }
    last = now;
  }
  let scatter = 0;
  const pairs = new Uint32Array(n);
  for (let k = 0; k < count; k++) {
    const q = chance(k);
    scatter += ((weight?.[k] ?? 1) * (p[k]! - q) ** 2) / Math.max(1e-9, q * (1 - q));
    pairs[a[k]!]!++;
    pairs[b[k]!]!++;
  }
  const free = count - (n - 1);
  const dispersion = free >= n / 2 ? Math.max(1e-3, scatter / free) : 1;
  return { score, pairs, dispersion, curvature, information: hessianDiagonal(preferences, curvature, prior) };
}

function hessianDiagonal({ n, a, b }: Preferences, curvature: Float64Array, prior: number): Float64Array {
  const found = new Float64Array(n).fill(prior);
  for (let k = 0; k < curvature.length; k++) {
    found[a[k]!]! += curvature[k]!;
    found[b[k]!]! += curvature[k]!;
  }
  return found;
}

/** x of (L + prior I) x = y, L the Laplacian of the pairs with these weights: conjugate gradients with Jacobi's preconditioner. */
function solve(
  graph: Preferences,
  weight: Float64Array,
  prior: number,
  y: Float64Array,
  exactness = 1e-20,
): Float64Array {
  const { n, a, b } = graph;
  const scale = hessianDiagonal(graph, weight, prior);
  const dot = (u: Float64Array, v: Float64Array) => u.reduce((sum, one, i) => sum + one * v[i]!, 0);
  const x = new Float64Array(n);
  const residual = y.slice();
  let z = residual.map((one, i) => one / scale[i]!);
  const direction = z.slice();
  let rz = dot(residual, z);
  const enough = exactness * rz;
  for (let step = 0; step < 10 * n + 100 && rz > enough && rz > 0; step++) {
    const image = direction.map((one) => prior * one);
    for (let k = 0; k < weight.length; k++) {
      const flow = weight[k]! * (direction[a[k]!]! - direction[b[k]!]!);
      image[a[k]!]! += flow;
      image[b[k]!]! -= flow;
    }
    const length = rz / dot(direction, image);
    for (let i = 0; i < n; i++) {
      x[i]! += length * direction[i]!;
      residual[i]! -= length * image[i]!;
    }
    z = residual.map((one, i) => one / scale[i]!);
    const next = dot(residual, z);
    for (let i = 0; i < n; i++) direction[i] = z[i]! + (next / rz) * direction[i]!;
    rz = next;
  }
  return x;
}

/** Of the inverse: exact for few items, else Hutchinson's estimate from random signs (some 12 % off). */
function diagonal(graph: Preferences, weight: Float64Array, prior: number): Float64Array {
  const { n } = graph;
  const found = new Float64Array(n);
  if (n <= exactUpTo) {
    for (let i = 0; i < n; i++) {
      const unit = new Float64Array(n);
      unit[i] = 1;
      found[i] = solve(graph, weight, prior, unit)[i]!;
    }
    return found;
  }
  const random = seededRandom(0);
  for (let probe = 0; probe < probes; probe++) {
    const signs = Float64Array.from({ length: n }, () => (random() < 0.5 ? -1 : 1));
    const x = solve(graph, weight, prior, signs, 1e-8);
    for (let i = 0; i < n; i++) found[i]! += (signs[i]! * x[i]!) / probes;
  }
  return found.map((v) => Math.max(1e-9, v));
}
