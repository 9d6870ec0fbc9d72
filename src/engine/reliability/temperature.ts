import type { CalibrationMetrics, TemperatureScaling } from "../../protocol/reliability.ts";
import { logit, sigmoid } from "../teachers/judgement.ts";
import { pairMetrics, pointMetrics } from "./metrics.ts";

/** T between 1/20 and 50: beyond them nothing changes that could be seen. */
const coldest = 1 / 20;
const hottest = 50;
const leastJudgements = 20;
/** One parameter needs no more, and each is looked at some 160 times. */
const mostFitted = 20_000;

/** Preferences P(a better) with the logit divided by T. */
export function scalePairs(p: Float64Array, temperature: number): Float64Array {
  return p.map((one) => sigmoid(logit(one) / temperature));
}

/** Rating probabilities, n × 5: p^(1/T), normalised. */
export function scalePoints(p: Float64Array, temperature: number): Float64Array {
  const scaled = new Float64Array(p.length);
  for (let row = 0; row < p.length; row += 5) {
    // The largest logarithm is taken off first, so that nothing underflows.
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < 5; k++) largest = Math.max(largest, Math.log(Math.max(p[row + k]!, 1e-12)));
    let sum = 0;
    for (let k = 0; k < 5; k++)
      sum += scaled[row + k] = Math.exp((Math.log(Math.max(p[row + k]!, 1e-12)) - largest) / temperature);
    for (let k = 0; k < 5; k++) scaled[row + k]! /= sum;
  }
  return scaled;
}

/** The T of least negative log-likelihood, which is convex in 1/T: golden section. */
export function fitTemperature(nllAt: (temperature: number) => number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [1 / hottest, 1 / coldest];
  for (let i = 0; i < 80; i++) {
    const [left, right] = [high - golden * (high - low), low + golden * (high - low)];
    if (nllAt(1 / left) <= nllAt(1 / right)) high = right;
    else low = left;
  }
  return 2 / (low + high);
}

interface Judgements {
  p: Float64Array;
  truth: Uint8Array;
}

const kinds = {
  pairs: { scale: scalePairs, metrics: pairMetrics },
  points: { scale: scalePoints, metrics: pointMetrics },
};

/** Fits T on the judgements of calibration images, and compares on others. */
export function temperatureScaling(
  kind: keyof typeof kinds,
  calibration: Judgements,
  others: Judgements,
): TemperatureScaling {
  const { scale, metrics } = kinds[kind];
  const fittedOn = calibration.truth.length;
  const before = metrics(others.p, others.truth);
  if (fittedOn < leastJudgements) {
    const why = `${fittedOn} ${kind} of calibration images have a truth; at least ${leastJudgements} are needed`;
    return { temperature: null, fittedOn, before, after: null, why };
  }
  const width = calibration.p.length / fittedOn;
  const [p, truth] = [
    calibration.p.subarray(0, mostFitted * width),
    calibration.truth.subarray(0, mostFitted),
  ];
  const nllAt = (temperature: number) => (metrics(scale(p, temperature), truth) as CalibrationMetrics).nll;
  const temperature = fitTemperature(nllAt);
  return {
    temperature,
    fittedOn: truth.length,
    before,
    after: metrics(scale(others.p, temperature), others.truth),
  };
}
