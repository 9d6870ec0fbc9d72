import type { RatingProbabilities } from "./judgement.ts";

/** Nothing is certain: preferences and ratings keep this much probability for every answer. */
export const leastProbability = 1e-4;

/**
 * Cumulative normal distribution, relative error under 1.2e-7 (Numerical Recipes' Chebyshev fit of erfc, Press et al., section 6.2).
 */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * t + coefficients[i]!;
  const tail = (t * Math.exp(-z * z + sum)) / 2;
  return x >= 0 ? 1 - tail : tail;
}

/** Standard deviation of a judgement at mu, linear between the knots and constant outside. */
export function sigmaAt(mu: number, knots: { mu: number[]; sigma: number[] }): number {
  const last = knots.mu.length - 1;
  if (mu <= knots.mu[0]!) return knots.sigma[0]!;
  if (mu >= knots.mu[last]!) return knots.sigma[last]!;
  const i = knots.mu.findIndex((m) => m > mu) - 1;
  const part = (mu - knots.mu[i]!) / (knots.mu[i + 1]! - knots.mu[i]!);
  return knots.sigma[i]! * (1 - part) + knots.sigma[i + 1]! * part;
}

/**
 * Ordinal probit: the five ratings are the slices of a normal distribution around mu that four rising thresholds cut,
 * bad below the first and excellent above the last (McCullagh, Regression models for ordinal data, 1980).
 */
export function ratingProbabilities(mu: number, sigma: number, thresholds: number[]): RatingProbabilities {
  const below = [0, ...thresholds.map((t) => normalCdf((t - mu) / sigma)), 1];
  const slices = [5, 4, 3, 2, 1].map((k) => Math.max(leastProbability, below[k]! - below[k - 1]!));
  const total = slices.reduce((a, b) => a + b, 0);
  const [e, g, f, p, b] = slices.map((slice) => slice / total) as [number, number, number, number, number];
  return [e, g, f, p, b];
}

/** P(a better than b) for two independent normal judgements (Thurstone, A law of comparative judgment, 1927). */
export function preferenceProbability(
  a: { mu: number; sigma: number },
  b: { mu: number; sigma: number },
): number {
  const p = normalCdf((a.mu - b.mu) / Math.hypot(a.sigma, b.sigma));
  return Math.min(1 - leastProbability, Math.max(leastProbability, p));
}
