/** error(m) = floor + scale · m^−rate, all three ≥ 0. */
export interface PowerLaw {
  floor: number;
  scale: number;
  rate: number;
}

export function powerLaw({ floor, scale, rate }: PowerLaw, m: number): number {
  return floor + scale * m ** -rate;
}

const rates = Array.from({ length: 40 }, (_, i) => 0.05 * (i + 1));

/**
 * Least squares fit of a power law, the usual form of learning curves (Hestness et al. 2017; Viering and Loog 2021). For a given
 * rate it is linear in the other two, so rates 0.05, 0.10 … 2 are tried and the best one is refined by golden section. Null for
 * fewer than 3 sizes. A curve that does not fall has scale 0.
 */
export function fitPowerLaw(sizes: readonly number[], errors: readonly number[]): PowerLaw | null {
  if (sizes.length < 3) return null;
  let best = linearFit(sizes, errors, rates[0]!);
  for (const rate of rates.slice(1)) {
    const next = linearFit(sizes, errors, rate);
    if (next.residual < best.residual) best = next;
  }
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.max(0.01, best.rate - 0.05), best.rate + 0.05];
  for (let i = 0; i < 40; i++) {
    const [left, right] = [high - golden * (high - low), low + golden * (high - low)];
    if (linearFit(sizes, errors, left).residual < linearFit(sizes, errors, right).residual) high = right;
    else low = left;
  }
  const refined = linearFit(sizes, errors, (low + high) / 2);
  const { floor, scale, rate } = refined.residual < best.residual ? refined : best;
  return { floor, scale, rate };
}

function linearFit(sizes: readonly number[], errors: readonly number[], rate: number) {
  const n = sizes.length;
  const x = sizes.map((m) => m ** -rate);
  const meanX = x.reduce((sum, value) => sum + value, 0) / n;
  const meanY = errors.reduce((sum, value) => sum + value, 0) / n;
  let [sxx, sxy, square] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    sxx += (x[i]! - meanX) ** 2;
    sxy += (x[i]! - meanX) * (errors[i]! - meanY);
    square += x[i]! ** 2;
  }
  let scale = Math.max(0, sxx > 0 ? sxy / sxx : 0);
  let floor = meanY - scale * meanX;
  if (floor < 0) {
    // On the border floor = 0 the best scale is the regression through the origin.
    floor = 0;
    scale = Math.max(0, x.reduce((sum, value, i) => sum + value * errors[i]!, 0) / square);
  }
  let residual = 0;
  for (let i = 0; i < n; i++) residual += (floor + scale * x[i]! - errors[i]!) ** 2;
  return { floor, scale, rate, residual };
}
