import type { HumanCeiling } from "../../protocol/results.ts";
import { randomInt, seededRandom } from "../base/random.ts";
import { type ImageRatings, oncePerRater, type Ratings } from "../mos/ratings.ts";
import { type SubjectModel, unbiased } from "../mos/subjects.ts";
import { percentiles, weightedCorrelation, weightedRanks } from "./bootstrap.ts";
import { srcc } from "./rank.ts";

/** Images that are looked at where there are more: the interval is narrow by then. */
const mostImages = 1000;
const splits = 50;
const replicates = 200;
/** Fewer images have no correlation worth the name. */
const leastImages = 3;

/**
 * How far people agree, and so how far a model can agree with their mean. The raters of each image are split in two halves at random; the
 * halves' means correlate by `splitHalf` (SRCC). By Spearman and Brown's formula the mean of all ratings then has the reliability k·r / (1 +
 * (k − 1)·r), k: how many times a half it is; and a model that knows the true quality reaches its square root (correction for attenuation,
 * Spearman 1904). `alpha` is Krippendorff's for interval data. Intervals are 95 %, by bootstrap over images. Undefined for fewer
 * than three images with two ratings.
 */
export function humanCeiling(given: Ratings, keys: Iterable<string>, seed = 0): HumanCeiling | undefined {
  const ratings = oncePerRater(given);
  const all: string[] = [];
  let singles = 0;
  for (const key of keys) {
    const size = ratings.sizeOf(key);
    if (size === 1) singles += 1;
    else if (size > 1) all.push(key);
  }
  const random = seededRandom("ceiling", seed);
  const images = (all.length > mostImages ? sample(all, mostImages, random) : all).map(
    (key) => ratings.of(key)!,
  );
  if (images.length < leastImages) return undefined;
  // The noise of a mean goes with 1 / n: what counts is the harmonic mean. Images with one rating are among those compared with.
  const rated = images.length + (singles * images.length) / all.length;
  const whole =
    rated / (images.reduce((sum, { values }) => sum + 1 / values.length, 0) + rated - images.length);
  const half = images.length / images.reduce((sum, { values }) => sum + 1 / Math.floor(values.length / 2), 0);
  const reliabilityOf = (r: number) => Math.max(0, stepUp(r, whole / half));
  const draw = () => halves(images, ratings.raters.length, random);
  const found = Array.from({ length: splits }, () => srcc(...draw()) ?? 0);
  const splitHalf = found.reduce((sum, r) => sum + r, 0) / splits;

  const parts = images.map(unitOf);
  const weights = new Uint32Array(images.length);
  const reached: number[] = [];
  const alphas: number[] = [];
  for (let b = 0; b < replicates; b++) {
    weights.fill(0);
    for (let i = 0; i < images.length; i++) weights[randomInt(random, images.length)]! += 1;
    const [x, y] = draw();
    const r = weightedCorrelation(weightedRanks(x)(weights), weightedRanks(y)(weights), weights);
    reached.push(Math.sqrt(reliabilityOf(r ?? 0)));
    const alpha = alphaOf(parts, weights);
    if (alpha !== null) alphas.push(alpha);
  }
  const reliability = reliabilityOf(splitHalf);
  return {
    images: all.length,
    ratings: images.reduce((sum, { values }) => sum + values.length, 0) / images.length,
    alpha: alphaOf(parts),
    alphaCi95: alphas.length * 2 > replicates ? percentiles(alphas) : null,
    splitHalf,
    reliability,
    srcc: Math.sqrt(reliability),
    ci95: percentiles(reached),
  };
}

/** The ceiling of a config's ratings: of those that count, where biases are removed. */
export function ceilingOf(
  mos: { subjects?: SubjectModel } | undefined,
  ratings: Ratings | undefined,
  keys: Iterable<string>,
): HumanCeiling | undefined {
  if (!ratings) return undefined;
  return humanCeiling(mos?.subjects === "bias-corrected" ? unbiased(ratings) : ratings, keys);
}

/** Reliability of a mean over `k` times as many ratings (Spearman 1910, Brown 1910). */
export function stepUp(r: number, k: number): number {
  return (k * r) / (1 + (k - 1) * r);
}

/**
 * Krippendorff's alpha for interval data: 1 − observed / expected disagreement, of images with two ratings or more (Krippendorff,
 * Content Analysis, 2004, ch. 11). Null where all ratings are the same.
 */
export function krippendorffAlpha(ratings: Ratings, keys: Iterable<string> = ratings.keys()): number | null {
  const parts = [];
  for (const key of keys) {
    const one = ratings.of(key);
    if (one && one.values.length > 1) parts.push(unitOf(one));
  }
  return alphaOf(parts);
}

interface Unit {
  n: number;
  sum: number;
  squares: number;
  /** Sum of squared differences of all ordered pairs, over n − 1. */
  disagreement: number;
}

function unitOf({ values }: ImageRatings): Unit {
  const n = values.length;
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  const spread = values.reduce((a, b) => a + (b - sum / n) ** 2, 0);
  return { n, sum, squares, disagreement: (2 * n * spread) / (n - 1) };
}

function alphaOf(units: readonly Unit[], weights?: Uint32Array): number | null {
  let [n, sum, squares, observed] = [0, 0, 0, 0];
  for (const [i, unit] of units.entries()) {
    const weight = weights ? weights[i]! : 1;
    n += weight * unit.n;
    sum += weight * unit.sum;
    squares += weight * unit.squares;
    observed += weight * unit.disagreement;
  }
  const expected = (2 * n * squares - 2 * sum * sum) / (n - 1);
  return expected > 1e-12 * squares ? 1 - observed / expected : null;
}

/**
 * The means of two halves of each image's ratings, as many in both. Raters are put in one order for all images and go to the halves in
 * turn: where all have rated all, each half has its own raters; of an odd number one rating is left out.
 */
function halves(
  images: readonly ImageRatings[],
  raters: number,
  random: () => number,
): [Float64Array, Float64Array] {
  const rank = Float64Array.from({ length: raters }, random);
  const x = new Float64Array(images.length);
  const y = new Float64Array(images.length);
  const most = images.reduce((max, { values }) => Math.max(max, values.length), 0);
  const [order, ranks] = [new Float64Array(most), new Float64Array(most)];
  for (const [at, { values, raters: by }] of images.entries()) {
    const n = values.length;
    for (let i = 0; i < n; i++) {
      // Those who are not named come where chance puts them: there may be hundreds, as of votes.
      const isNamed = by[i]! >= 0;
      const own = isNamed ? rank[by[i]!]! : 0;
      let j = isNamed ? i : randomInt(random, i + 1);
      if (isNamed)
        for (; j > 0 && ranks[j - 1]! > own; j--) [order[j], ranks[j]] = [order[j - 1]!, ranks[j - 1]!];
      else [order[i], ranks[i]] = [order[j]!, ranks[j]!];
      [order[j], ranks[j]] = [values[i]!, own];
    }
    const size = Math.floor(n / 2);
    for (let i = 0; i < size; i++) {
      x[at]! += order[2 * i]! / size;
      y[at]! += order[2 * i + 1]! / size;
    }
  }
  return [x, y];
}

function sample<T>(items: readonly T[], count: number, random: () => number): T[] {
  const pool = [...items];
  for (let i = 0; i < count; i++) {
    const j = i + randomInt(random, pool.length - i);
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  return pool.slice(0, count);
}
