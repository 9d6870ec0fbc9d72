import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../base/errors.ts";
import { seededRandom } from "../base/random.ts";
import { type Interval, percentiles, weightedCorrelation, weightedRanks } from "./bootstrap.ts";
import { centred, plcc, rmse } from "./correlation.ts";
import { type Groups, resampler } from "./groups.ts";
import { krcc, srcc } from "./rank.ts";

export type ComparedMetric = "srcc" | "plcc" | "krcc" | "rmse";

/** Images that several models were evaluated on: their truth, and what each pair of models (one a seed) predicted. */
export interface PairedSet {
  truth: Float64Array;
  pairs: { a: Float64Array; b: Float64Array }[];
  /** Images that are drawn together; by default each by itself. */
  groups?: Groups;
}

export interface Comparison {
  /** Metric of a minus metric of b, averaged over all pairs. */
  difference: number;
  /** 95 % percentile interval of the difference. */
  interval: Interval;
  /** Two-sided; at least 2 / (replicates + 1). */
  p: number;
}

/**
 * Paired bootstrap of the difference of two models over images (Efron and Tibshirani 1993, ch. 16; Koehn 2004): a replicate
 * draws images (or groups of them) with replacement, the same for both models, for all seeds on that set and for all metrics. p is twice the
 * smaller share of replicates at or beyond 0, the observed one counted (Davison and Hinkley 1997, ch. 4). It speaks of new
 * images, not of new trainings. Null where a metric is not defined, or not in over half of the replicates.
 */
export async function pairedBootstrap<M extends ComparedMetric>(
  sets: readonly PairedSet[],
  metrics: readonly M[],
  { replicates, seed, signal }: { replicates: number; seed: number; signal?: AbortSignal },
): Promise<Record<M, Comparison | null>> {
  const random = seededRandom("paired bootstrap", seed);
  const measured = sets.map(({ truth, pairs, groups }) => {
    const measures = metrics.map((metric) => weightedMetric(metric, truth));
    return {
      weights: new Uint32Array(truth.length),
      draw: resampler(truth.length, groups),
      differences: measures.map((measure) =>
        pairs.map(({ a, b }) => {
          const [ofA, ofB] = [measure(a), measure(b)];
          return (weights: Uint32Array | null) => minus(ofA(weights), ofB(weights));
        }),
      ),
    };
  });
  const observed = metrics.map((_, m) =>
    mean(measured.flatMap((set) => set.differences[m]!.map((of) => of(null)))),
  );
  const drawn = metrics.map((): number[] => []);
  for (let replicate = 0; replicate < replicates; replicate++) {
    if (replicate % 50 === 0) {
      await setImmediate();
      throwIfCancelled(signal);
    }
    for (const { draw, weights } of measured) draw(random, weights);
    for (const [m, values] of drawn.entries()) {
      if (observed[m] === null) continue;
      const value = mean(measured.flatMap((set) => set.differences[m]!.map((of) => of(set.weights))));
      if (value !== null) values.push(value);
    }
  }
  const compared = metrics.map(
    (metric, m) => [metric, conclusion(observed[m]!, drawn[m]!, replicates)] as const,
  );
  return Object.fromEntries(compared) as Record<M, Comparison | null>;
}

function conclusion(difference: number | null, drawn: number[], replicates: number): Comparison | null {
  if (difference === null || drawn.length * 2 < replicates) return null;
  const below = drawn.filter((value) => value <= 0).length;
  const above = drawn.filter((value) => value >= 0).length;
  const p = Math.min(1, (2 * (Math.min(below, above) + 1)) / (drawn.length + 1));
  return { difference, interval: percentiles(drawn), p };
}

/** Prepares a metric against one truth for many replicates; `null` weights count every image once. */
function weightedMetric(metric: ComparedMetric, truth: Float64Array) {
  const rankTruth = metric === "srcc" ? weightedRanks(truth) : undefined;
  const centredTruth = metric === "plcc" ? centred(truth) : undefined;
  return (predictions: Float64Array): ((weights: Uint32Array | null) => number | null) => {
    switch (metric) {
      case "srcc": {
        const rank = weightedRanks(predictions);
        return (weights) =>
          weights
            ? weightedCorrelation(rank(weights), rankTruth!(weights), weights)
            : srcc(predictions, truth);
      }
      case "plcc": {
        const moved = centred(predictions);
        return (weights) =>
          weights ? weightedCorrelation(moved, centredTruth!, weights) : plcc(predictions, truth);
      }
      case "krcc":
        return (weights) =>
          weights ? krcc(repeated(predictions, weights), repeated(truth, weights)) : krcc(predictions, truth);
      case "rmse":
        return (weights) => (weights ? weightedRmse(predictions, truth, weights) : rmse(predictions, truth));
    }
  };
}

function weightedRmse(x: Float64Array, y: Float64Array, weights: Uint32Array): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    sum += weights[i]! * (x[i]! - y[i]!) ** 2;
    total += weights[i]!;
  }
  return Math.sqrt(sum / total);
}

/** Each value as often as it was drawn. */
function repeated(values: Float64Array, weights: Uint32Array): Float64Array {
  const all = new Float64Array(weights.reduce((sum, weight) => sum + weight, 0));
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    all.fill(values[i]!, at, at + weights[i]!);
    at += weights[i]!;
  }
  return all;
}

function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

/** Null if any is. */
function mean(values: (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return values.length > 0 ? sum / values.length : null;
}
