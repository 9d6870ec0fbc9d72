import { fitTemperature } from "./temperature.ts";

/** What `distill.loss.temperature: auto` is where nothing can be fitted. */
export const defaultTemperature = 1;
/** Fewer pairs tell the scale of the preferences to no better than some tenth. */
const leastPairs = 100;
/** One parameter needs no more, and each is looked at some 160 times. */
export const mostFittedPairs = 20_000;
/** Beyond these a pair is all but a rank, or says all but nothing. In points of the 1..5 scale. */
const [coldest, hottest] = [0.1, 10];

/** Of pairs, in parallel: P(a better), its weight in the loss, and the teacher's own score of a less that of b, on 1..5. */
export interface ScoredPairs {
  p: Float64Array;
  weight: Float64Array;
  difference: Float64Array;
}

/**
 * T of the pair-wise loss: the one with which the teacher's own scores fit its own preferences best, Σ w · BCE(σ(difference / T), p),
 * which is a logistic regression of the preferences through the origin. A student whose scores are the teacher's then has no gradient
 * along their scale, so that the pairs teach order and the points the scale. The loss is the same for a pair and its mirror image, and
 * bounded for answers that are all but certain, where a line through logits is at the mercy of a few. No human score is looked at.
 * 1 with fewer than 100 pairs, and where the preferences do not rise with the scores.
 */
export function fitPairTemperature({ p, weight, difference }: ScoredPairs): number {
  if (p.length < leastPairs) return defaultTemperature;
  // The slope at the origin: the optimum of a convex loss lies on its side.
  let slope = 0;
  for (let i = 0; i < p.length; i++) slope += weight[i]! * difference[i]! * (p[i]! - 0.5);
  if (!(slope > 0)) return defaultTemperature;
  const lossAt = (temperature: number) => {
    let loss = 0;
    for (let i = 0; i < p.length; i++) {
      const z = difference[i]! / temperature;
      // log(1 + exp(z)) without overflow.
      loss += weight[i]! * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - p[i]! * z);
    }
    return loss;
  };
  const fitted = Math.min(hottest, Math.max(coldest, fitTemperature(lossAt)));
  // Three digits are more than the fit is worth, and the same work stays the same.
  return Number(fitted.toPrecision(3));
}
