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
