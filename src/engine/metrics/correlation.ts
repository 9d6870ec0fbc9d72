/** Whether all values are the same; then no correlation with them is defined. */
export function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

/** Values moved to mean 0 and divided by the largest deviation, so that neither sums nor squares overflow or vanish. */
export function centred(values: Float64Array): Float64Array {
  const scale = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0) || 1;
  let mean = 0;
  for (const value of values) mean += value / scale;
  mean /= values.length;
  const deviations = values.map((value) => value / scale - mean);
  const largest = deviations.reduce((max, value) => Math.max(max, Math.abs(value)), 0) || 1;
  return deviations.map((value) => value / largest);
}

/** From the three sums of squares and products about the mean; null if one of the two has no variance. */
export function correlationOfSums(sxy: number, sxx: number, syy: number): number | null {
  if (!(sxx > 0 && syy > 0)) return null;
  // Equal sums give exactly 1; the clamp takes off the last rounding.
  return Math.max(-1, Math.min(1, sxy / Math.sqrt(sxx * syy)));
}

/** Pearson's linear correlation (PLCC); null for constant values or fewer than 3. */
export function plcc(x: Float64Array, y: Float64Array): number | null {
  if (x.length < 3 || isConstant(x) || isConstant(y)) return null;
  const [u, v] = [centred(x), centred(y)];
  let [sxy, sxx, syy] = [0, 0, 0];
  for (let i = 0; i < u.length; i++) {
    sxy += u[i]! * v[i]!;
    sxx += u[i]! * u[i]!;
    syy += v[i]! * v[i]!;
  }
  return correlationOfSums(sxy, sxx, syy);
}

/** Root mean square error, in the unit of the values. */
export function rmse(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return Math.sqrt(sum / x.length);
}
