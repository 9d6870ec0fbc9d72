import { seededRandom } from "../random.ts";

/** Work is bounded: for very many images fewer resamples give an interval that is just as sharp. */
const maxDraws = 20_000_000;

/**
 * 95 % percentile intervals over images (Efron): each statistic on `resamples` seeded draws with replacement. Null where
 * a statistic is undefined on more than half of the draws.
 */
export function bootstrapIntervals<K extends string>(
  x: Float64Array,
  y: Float64Array,
  statistics: Record<K, (x: Float64Array, y: Float64Array) => number | null>,
  options: { resamples: number; seed: number },
): Record<K, [number, number] | null> {
  const n = x.length;
  const resamples = Math.min(options.resamples, Math.max(100, Math.floor(maxDraws / Math.max(1, n))));
  const random = seededRandom(`bootstrap ${options.seed}`);
  const names = Object.keys(statistics) as K[];
  const drawn = new Map<K, number[]>(names.map((name) => [name, []]));
  const bx = new Float64Array(n);
  const by = new Float64Array(n);
  for (let draw = 0; draw < (options.resamples > 0 ? resamples : 0); draw++) {
    for (let i = 0; i < n; i++) {
      const at = Math.floor(random() * n);
      bx[i] = x[at]!;
      by[i] = y[at]!;
    }
    for (const name of names) {
      const value = statistics[name](bx, by);
      if (value !== null) drawn.get(name)!.push(value);
    }
  }
  const interval = (values: number[]): [number, number] | null => {
    if (values.length === 0 || values.length < resamples / 2) return null;
    values.sort((a, b) => a - b);
    return [quantile(values, 0.025), quantile(values, 0.975)];
  };
  return Object.fromEntries(names.map((name) => [name, interval(drawn.get(name)!)])) as Record<
    K,
    [number, number] | null
  >;
}

/** Linear interpolation between order statistics, as numpy.quantile. */
export function quantile(sorted: number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
