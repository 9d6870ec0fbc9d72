import { preferenceProbability, ratingProbabilities } from "./probit.ts";
import type { PairPreference, PointJudgement } from "./teacher.ts";

/** A quality on 1..5 with its standard error, as a teacher that looks at single images finds it; or why it could not. */
export type Quality = { ok: true; mu: number; sigma: number } | { ok: false; reason: string };

/** Where the ratings bad … excellent meet. */
export const levelThresholds = [1.5, 2.5, 3.5, 4.5];

export function pointOf(quality: Quality, thresholds: number[] = levelThresholds): PointJudgement {
  if (!quality.ok) return quality;
  return { ok: true, probabilities: ratingProbabilities(quality.mu, quality.sigma, thresholds), mass: 1 };
}

/** A preference as a function of two qualities. Each image was looked at by itself, so the order of asking cannot matter. */
export function pairOf(a: Quality, b: Quality): PairPreference {
  if (!a.ok) return a;
  if (!b.ok) return b;
  const p = preferenceProbability(a, b);
  return { ok: true, pAB: p, pBA: p };
}
