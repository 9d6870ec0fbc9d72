/** Correlations of two equally long lists. All return null where the figure is undefined: fewer than 3 items, or a constant list. */

/** Ranks from 1; ties get the mean of their ranks (mid-ranks), as in scipy.stats.rankdata. */
export function midRanks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    const rank = (start + end + 1) / 2;
    for (let k = start; k < end; k++) ranks[order[k]!] = rank;
    start = end;
  }
  return ranks;
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Pearson's linear correlation, centred in two passes for precision. */
export function pearson(x: Float64Array, y: Float64Array): number | null {
  if (x.length < 3) return null;
  const mx = mean(x);
  const my = mean(y);
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - mx;
    const dy = y[i]! - my;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  // A constant list leaves rounding dust rather than 0.
  const dust = (m: number) => (Math.abs(m) * 1e-13) ** 2 * x.length;
  if (xx <= dust(mx) || yy <= dust(my)) return null;
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy)));
}

/** Spearman's rank correlation: Pearson of mid-ranks. */
export function spearman(x: Float64Array, y: Float64Array): number | null {
  return pearson(midRanks(x), midRanks(y));
}

/** Kendall's tau-b in O(n log n) by counting exchanges of a merge sort (Knight 1966). */
export function kendall(x: Float64Array, y: Float64Array): number | null {
  const n = x.length;
  if (n < 3) return null;
  const order = Uint32Array.from(x, (_, i) => i).sort((i, j) => x[i]! - x[j]! || y[i]! - y[j]!);
  const pairs = (m: number) => (m * (m - 1)) / 2;
  let tiesX = 0;
  let tiesBoth = 0;
  for (let start = 0, startBoth = 0, i = 1; i <= n; i++) {
    const sameX = i < n && x[order[i]!] === x[order[i - 1]!];
    const sameBoth = sameX && y[order[i]!] === y[order[i - 1]!];
    if (!sameBoth) {
      tiesBoth += pairs(i - startBoth);
      startBoth = i;
    }
    if (!sameX) {
      tiesX += pairs(i - start);
      start = i;
    }
  }
  const sorted = Float64Array.from(order, (i) => y[i]!);
  const discordant = countInversions(sorted);
  let tiesY = 0;
  for (let start = 0, i = 1; i <= n; i++) {
    if (i < n && sorted[i] === sorted[i - 1]) continue;
    tiesY += pairs(i - start);
    start = i;
  }
  const total = pairs(n);
  if (total === tiesX || total === tiesY) return null;
  const difference = total - tiesX - tiesY + tiesBoth - 2 * discordant;
  return Math.max(-1, Math.min(1, difference / Math.sqrt(total - tiesX) / Math.sqrt(total - tiesY)));
}

/** Sorts in place and returns how many pairs stood in the wrong order. */
function countInversions(values: Float64Array): number {
  const n = values.length;
  let from: Float64Array = values;
  let to: Float64Array = new Float64Array(n);
  let inversions = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let left = 0; left < n; left += 2 * width) {
      const middle = Math.min(left + width, n);
      const right = Math.min(left + 2 * width, n);
      let [i, j] = [left, middle];
      for (let k = left; k < right; k++) {
        if (j >= right || (i < middle && from[i]! <= from[j]!)) to[k] = from[i++]!;
        else {
          to[k] = from[j++]!;
          inversions += middle - i;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== values) values.set(from);
  return inversions;
}

/** Root mean square error; NaN for empty lists. */
export function rmse(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return Math.sqrt(sum / x.length);
}
