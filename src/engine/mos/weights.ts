/**
 * What each image weighs in calibration by the spread σ of its opinions: 1 / (σ² + m²), m the median spread, scaled to a mean of 1. A mean
 * is the surer the less they differ (inverse variance); m² stands for what the student itself is off by, so that an image on
 * which all agree weighs at most twice as much as a usual one. An image of unknown spread has the median one.
 */
export function weightsByStd(stds: readonly (number | undefined)[]): number[] {
  const known = stds.filter((one) => one !== undefined && Number.isFinite(one) && one >= 0) as number[];
  known.sort((a, b) => a - b);
  const median = known[known.length >> 1] ?? 0;
  if (!(median > 0)) return stds.map(() => 1);
  const raw = stds.map((one) => 1 / ((one !== undefined && one >= 0 ? one : median) ** 2 + median ** 2));
  const mean = raw.reduce((sum, one) => sum + one, 0) / raw.length;
  return raw.map((one) => one / mean);
}

/** A standard deviation of few ratings is itself uncertain: so many of the usual one are counted beside it. */
const prior = 4;

/**
 * Standard errors of means by the spread σ of each image's n opinions: σ / √n, with σ² shrunk towards the variance s² within all images, as
 * ((n − 1) σ² + 4 s²) / (n + 3): of two ratings that happen to be equal it is not known that all would be. Undefined where n is not
 * known, so that fewer ratings as well as wider ones make a larger error.
 */
export function standardErrors(
  stds: readonly (number | undefined)[],
  counts: readonly (number | undefined)[],
): (number | undefined)[] {
  let [squares, freedom] = [0, 0];
  for (const [i, std] of stds.entries()) {
    const n = counts[i];
    if (std === undefined || n === undefined || !(n > 1)) continue;
    squares += (n - 1) * std ** 2;
    freedom += n - 1;
  }
  if (freedom === 0) return stds.map(() => undefined);
  const usual = squares / freedom;
  return counts.map((n, i) => {
    if (n === undefined || !(n >= 1)) return undefined;
    const own = n > 1 ? stds[i] : undefined;
    const variance = own === undefined ? usual : ((n - 1) * own ** 2 + prior * usual) / (n - 1 + prior);
    return Math.sqrt(variance / n);
  });
}
