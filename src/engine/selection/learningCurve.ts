import { setImmediate } from "node:timers/promises";
import type { LearningCurve } from "../../protocol/selection.ts";
import { throwIfCancelled } from "../base/errors.ts";
import { randomInt, seededRandom } from "../base/random.ts";
import { quantile as quantileOf } from "../metrics/bootstrap.ts";
import { type Groups, groupFolds, groupsOf, resampler } from "../metrics/groups.ts";
import type { StudentTable } from "./featureStore.ts";
import { standardised } from "./kcenter.ts";
import { fitPowerLaw, powerLaw } from "./powerLaw.ts";
import { gram, ridgePredict } from "./ridge.ts";

export interface CurveOptions {
  /** How many more ratings are in question. */
  next: number;
  /** Width of the MOS scale, in the unit of the truth: what counts as a gain is a share of it. */
  range: number;
  seed: number;
  /** The group of each row of the table, where images are grouped: folds and the bootstrap keep groups whole. */
  groups?: readonly (string | undefined)[];
  /** Ratings there are, where `truth` is a sample of them. */
  ratings?: number;
  signal?: AbortSignal;
}

/** Fewer ratings give no curve; more than the most are sampled, to bound the time. */
const leastRatings = 16;
const mostRatings = 400;
const folds = 5;
const passes = 6;
const sizesOfCurve = 7;
const replicates = 500;
const lambdas = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
/** A gain whose interval stays below this share of the scale is not worth the ratings. */
export const worthwhileShare = 0.01;

/**
 * Whether more ratings pay: the error of images left out against the number of ratings, by ridge regression of MOS on the
 * student's score and features (no network is trained: a cheap stand-in for calibrating again, whose errors are of the same
 * kind, not the same), over nested subsets in 5 folds and 6 shuffles. A power law extrapolates by `next` ratings; the 95 %
 * interval is a bootstrap over images, or over groups of them. Null for fewer than 16 ratings, constant ones, or a single group.
 */
export async function learningCurve(
  table: StudentTable,
  truth: Float64Array,
  { next, range, seed, signal, groups: names, ratings = truth.length }: CurveOptions,
): Promise<LearningCurve | null> {
  const sample = sampled(truth.length, seed);
  const y = Float64Array.from(sample, (i) => truth[i]!);
  const n = y.length;
  if (n < leastRatings || y.every((value) => value === y[0])) return null;
  const groups = names && groupsOf(Array.from(sample, (i) => names[i]));
  if (groups && groups.count < 2) return null;
  const kernel = kernelOf(table, sample);
  const lambda = await bestLambda(kernel, n, y, seed, groups, signal);

  const shuffles = Array.from({ length: passes }, (_, pass) => [
    ...foldsOf(n, seededRandom("curve", seed, pass), groups),
  ]);
  // Folds of large groups leave less to train on than four fifths.
  const largest = Math.min(
    ...shuffles.flat().map(({ train }) => train.length),
    Math.floor((n * (folds - 1)) / folds),
  );
  const sizes = geometric(Math.max(4, Math.min(8, Math.floor(largest / 4))), largest, sizesOfCurve);
  // Squared errors of each image at each size, over the shuffles.
  const errors = sizes.map(() => new Float64Array(n));
  for (const shuffle of shuffles) {
    for (const { train, test } of shuffle) {
      for (const [at, size] of sizes.entries()) {
        const nested = train.subarray(0, size);
        const predicted = ridgePredict(kernel, n, y, { train: nested, test, lambda });
        for (const [k, i] of test.entries()) errors[at]![i]! += (predicted[k]! - y[i]!) ** 2 / passes;
      }
      await setImmediate();
      throwIfCancelled(signal);
    }
  }
  const rmseBy = (weights?: Uint32Array) => {
    const total = weights ? weights.reduce((sum, weight) => sum + weight, 0) : n;
    return errors.map((squares) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += squares[i]! * (weights ? weights[i]! : 1);
      return Math.sqrt(sum / total);
    });
  };
  const rmse = rmseBy();
  const fit = fitPowerLaw(sizes, rmse);
  if (!fit) return null;
  const gainOf = (law: typeof fit) => powerLaw(law, ratings) - powerLaw(law, ratings + next);
  const random = seededRandom("curve bootstrap", seed);
  const draw = resampler(n, groups);
  const weights = new Uint32Array(n);
  const gains: number[] = [];
  for (let b = 0; b < replicates; b++) {
    draw(random, weights);
    gains.push(gainOf(fitPowerLaw(sizes, rmseBy(weights))!));
    if (b % 50 === 0) await setImmediate();
  }
  const sorted = Float64Array.from(gains).sort();
  const ci95: [number, number] = [quantileOf(sorted, 0.025), quantileOf(sorted, 0.975)];
  return {
    ratings,
    points: sizes.map((size, i) => ({ ratings: size, rmse: rmse[i]! })),
    fit,
    now: powerLaw(fit, ratings),
    next: { ratings: next, gain: gainOf(fit), ci95 },
    enough: ci95[1] < worthwhileShare * range,
  };
}

function sampled(n: number, seed: number): Uint32Array {
  const all = shuffled(n, seededRandom("curve sample", seed));
  return all.slice(0, mostRatings).sort();
}

function shuffled(n: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = randomInt(random, i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Mean product of standardised features plus that of standardised scores: the score weighs as much as all features together. */
function kernelOf({ features, dim, scores }: StudentTable, sample: Uint32Array): Float64Array {
  const n = sample.length;
  const own = new Float32Array(n * dim);
  for (const [k, i] of sample.entries()) own.set(features.subarray(i * dim, (i + 1) * dim), k * dim);
  const kernel = gram(standardised(own, n, dim), n, dim);
  const score = standardised(
    Float32Array.from(sample, (i) => scores[i]!),
    n,
    1,
  );
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      kernel[i * n + j] = kernel[i * n + j]! / Math.max(1, dim) + score[i]! * score[j]!;
  return kernel;
}

/** The penalty with the least cross-validated error of all ratings. It is the same for every size of the curve. */
async function bestLambda(
  kernel: Float64Array,
  n: number,
  y: Float64Array,
  seed: number,
  groups?: Groups,
  signal?: AbortSignal,
): Promise<number> {
  let [best, least] = [lambdas[0]!, Number.POSITIVE_INFINITY];
  for (const lambda of lambdas) {
    let error = 0;
    for (const { train, test } of foldsOf(n, seededRandom("curve penalty", seed), groups)) {
      const predicted = ridgePredict(kernel, n, y, { train, test, lambda });
      for (const [k, i] of test.entries()) error += (predicted[k]! - y[i]!) ** 2;
    }
    if (error < least) [best, least] = [lambda, error];
    await setImmediate();
    throwIfCancelled(signal);
  }
  return best;
}

function* foldsOf(
  n: number,
  random: () => number,
  groups?: Groups,
): Generator<{ train: Uint32Array; test: Uint32Array }> {
  const order = shuffled(n, random);
  const foldOf = groupFolds(order, folds, groups);
  for (let fold = 0; fold < folds; fold++) {
    const test = order.filter((i) => foldOf[i] === fold);
    if (test.length > 0) yield { test, train: order.filter((i) => foldOf[i] !== fold) };
  }
}

function geometric(from: number, to: number, count: number): number[] {
  const ratio = (to / from) ** (1 / (count - 1));
  return [...new Set(Array.from({ length: count }, (_, i) => Math.round(from * ratio ** i)))];
}
