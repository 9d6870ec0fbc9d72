import { correlationOfSums, isConstant } from "./correlation.ts";

/** Positions in ascending order of their value. */
export function orderOf(values: Float64Array): Uint32Array {
  return Uint32Array.from(values.keys()).sort((i, j) => values[i]! - values[j]!);
}

/** Ranks 1 … n; equal values share the mean of their ranks. */
export function midRanks(values: Float64Array): Float64Array {
  const order = orderOf(values);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/** Spearman's rank correlation (SRCC): Pearson's on mid-ranks; null for constant values or fewer than 3. */
export function srcc(x: Float64Array, y: Float64Array): number | null {
  const n = x.length;
  if (n < 3 || isConstant(x) || isConstant(y)) return null;
  const [rx, ry] = [midRanks(x), midRanks(y)];
  const mean = (n + 1) / 2; // Exact, also with ties.
  let [sxy, sxx, syy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [u, v] = [rx[i]! - mean, ry[i]! - mean];
    sxy += u * v;
    sxx += u * u;
    syy += v * v;
  }
  return correlationOfSums(sxy, sxx, syy);
}

/**
 * Kendall's tau-b (KRCC) in O(n log n): ties and inversions are counted in a merge sort (Knight 1966, "A Computer Method for
 * Calculating Kendall's Tau with Ungrouped Data"). Null for constant values or fewer than 3.
 */
export function krcc(x: Float64Array, y: Float64Array): number | null {
  const n = x.length;
  if (n < 3 || isConstant(x) || isConstant(y)) return null;
  const order = Uint32Array.from(x.keys()).sort((i, j) => x[i]! - x[j]! || y[i]! - y[j]!);
  const xs = Float64Array.from(order, (i) => x[i]!);
  const ys = Float64Array.from(order, (i) => y[i]!);
  const pairs = (n * (n - 1)) / 2;
  const tiedX = tiedPairs(n, (i) => xs[i] === xs[i - 1]);
  const tiedBoth = tiedPairs(n, (i) => xs[i] === xs[i - 1] && ys[i] === ys[i - 1]);
  const inversions = sortCountingInversions(ys);
  const tiedY = tiedPairs(n, (i) => ys[i] === ys[i - 1]);
  const concordantLessDiscordant = pairs - tiedX - tiedY + tiedBoth - 2 * inversions;
  return correlationOfSums(concordantLessDiscordant, pairs - tiedX, pairs - tiedY);
}

/** Pairs inside runs of equal neighbours of a sorted sequence. */
function tiedPairs(n: number, sameAsBefore: (i: number) => boolean): number {
  let [total, run] = [0, 0];
  for (let i = 1; i < n; i++) {
    run = sameAsBefore(i) ? run + 1 : 0;
    total += run;
  }
  return total;
}

/** Sorts in place, bottom up; returns how many pairs were in descending order. */
function sortCountingInversions(values: Float64Array): number {
  const n = values.length;
  let inversions = 0;
  let [from, to]: [Float64Array, Float64Array] = [values, new Float64Array(n)];
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        if (right >= end || (left < middle && from[left]! <= from[right]!)) to[at] = from[left++]!;
        else {
          inversions += middle - left;
          to[at] = from[right++]!;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== values) values.set(from);
  return inversions;
}
