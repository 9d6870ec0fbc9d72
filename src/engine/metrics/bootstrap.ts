import { seededRandom } from "../base/random.ts";
import { centred, correlationOfSums } from "./correlation.ts";
import { type Groups, groupsAt, resampler } from "./groups.ts";
import { orderOf } from "./rank.ts";

export type Interval = [low: number, high: number];

/** Images times replicates are kept near this (a second or two), but never under `leastReplicates`. */
const budget = 2e7;
const leastReplicates = 100;

/**
 * 95 % percentile bootstrap intervals of SRCC and PLCC over images (Efron and Tibshirani 1993, ch. 13), or over `groups` of them:
 * they are drawn with replacement, prediction and truth together. A replicate takes O(n): it is a weight per image, and ranks of
 * weighted values need no sort once the order is known. Very large sets get fewer replicates. Null where over half of the
 * replicates are constant, or for fewer than 3 images.
 */
export function bootstrapIntervals(
  x: Float64Array,
  y: Float64Array,
  { replicates, seed, groups }: { replicates: number; seed: number; groups?: Groups },
): { srcc: Interval | null; plcc: Interval | null } {
  const n = x.length;
  if (n < 3 || replicates < 1) return { srcc: null, plcc: null };
  const count = Math.min(replicates, Math.max(leastReplicates, Math.floor(budget / n)));
  const random = seededRandom("bootstrap", seed);
  // In the order of x, so that half of the memory is read in sequence.
  const order = orderOf(x);
  const [xs, ys] = [x, y].map((values) => Float64Array.from(order, (i) => values[i]!)) as [
    Float64Array,
    Float64Array,
  ];
  const [u, v] = [centred(xs), centred(ys)];
  const rankX = weightedRanks(xs);
  const rankY = weightedRanks(ys);
  const draw = resampler(n, groups && groupsAt(groups, order));
  const weights = new Uint32Array(n);
  const spearman: number[] = [];
  const pearson: number[] = [];
  for (let b = 0; b < count; b++) {
    draw(random, weights);
    const s = weightedCorrelation(rankX(weights), rankY(weights), weights);
    if (s === null) continue;
    spearman.push(s);
    pearson.push(weightedCorrelation(u, v, weights) ?? 0);
  }
  if (spearman.length * 2 < count) return { srcc: null, plcc: null };
  return { srcc: percentiles(spearman), plcc: percentiles(pearson) };
}

/** Mid-ranks of values that count `weight` times each, into an array that the next call reuses. */
export function weightedRanks(values: Float64Array): (weights: Uint32Array) => Float64Array {
  const order = orderOf(values);
  const n = values.length;
  const ranks = new Float64Array(n);
  const ends = new Uint32Array(n); // At the first position of a run of equal values: where the run ends.
  for (let start = 0; start < n; start = ends[start]!) {
    let end = start + 1;
    while (end < n && values[order[end]!] === values[order[start]!]) end++;
    ends[start] = end;
  }
  return (weights) => {
    let before = 0;
    for (let start = 0; start < n; ) {
      const end = ends[start]!;
      let weight = 0;
      for (let i = start; i < end; i++) weight += weights[order[i]!]!;
      const rank = before + (weight + 1) / 2;
      for (let i = start; i < end; i++) ranks[order[i]!] = rank;
      before += weight;
      start = end;
    }
    return ranks;
  };
}

export function weightedCorrelation(x: Float64Array, y: Float64Array, weights: Uint32Array): number | null {
  const n = x.length;
  let mx = 0;
  let my = 0;
  // The first drawn values tell a constant replicate, whose variance would be a rounding error.
  let first = 0;
  while (weights[first] === 0) first++;
  let variesX = false;
  let variesY = false;
  let total = 0;
  for (let i = first; i < n; i++) {
    const w = weights[i]!;
    if (w === 0) continue;
    total += w;
    if (x[i] !== x[first]) variesX = true;
    if (y[i] !== y[first]) variesY = true;
    mx += w * x[i]!;
    my += w * y[i]!;
  }
  if (!variesX || !variesY) return null;
  mx /= total;
  my /= total;
  let sxy = 0;
  let sxx = 0;
  let syy = 0;
  for (let i = 0; i < n; i++) {
    const w = weights[i]!;
    if (w === 0) continue;
    const dx = x[i]! - mx;
    const dy = y[i]! - my;
    sxy += w * dx * dy;
    sxx += w * dx * dx;
    syy += w * dy * dy;
  }
  return correlationOfSums(sxy, sxx, syy);
}

export function percentiles(values: number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
}

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996, NumPy's default). */
export function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
