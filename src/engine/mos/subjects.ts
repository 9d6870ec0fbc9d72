import { type Opinion, opinionOf, type Ratings } from "./ratings.ts";

/** How single ratings become a MOS: their plain mean, or without each rater's bias and weighted by consistency. */
export const subjectModels = ["plain", "bias-corrected"] as const;
export type SubjectModel = (typeof subjectModels)[number];

/** What is told of one rater. */
export interface Rater {
  name: string;
  ratings: number;
  /** By how much the ratings are above the MOS, on its scale. */
  bias: number;
  /** Standard deviation of what the bias does not explain. */
  inconsistency: number;
  /** Pearson correlation with the mean of the others on the same images; null where it is not defined. */
  agreement: number | null;
  /** Why the ratings are suspect; absent where they are not. They count all the same. */
  outlier?: "screened" | "reversed";
}

/** A rater of fewer has no bias that could be told from the images. */
export const leastToCorrect = 10;
/** One who is that much more consistent than all together has become the quality itself. */
const leastInconsistency = 0.1;
const stopAt = 1e-8;
const mostRounds = 1000;

export interface SubjectFit {
  quality: Map<string, number>;
  /** By rater. */
  bias: Float64Array;
  inconsistency: Float64Array;
  /** False where weights would have made one rater the quality, so that all count alike. */
  weighted: boolean;
}

/**
 * Quality of each image, bias and inconsistency of each rater: u = quality + bias + inconsistency · noise, by the alternating
 * projection of ITU-T P.913 (06/2021), 12.6, that is of Li, Bampis, Krasula, Janowski and Katsavounidis, A Simple Model for Subject
 * Behavior in Subjective Experiments, HVEI 2020, as in Netflix's sureal. Its likelihood has no upper end: with few raters, one of them
 * may become the quality, with an inconsistency of 0. Then biases alone are removed (P.913, 12.4), and all count alike. Who
 * gave fewer than `leastToCorrect` ratings, or is not named, has no bias and the inconsistency of all together.
 */
export function fitSubjects(ratings: Ratings): SubjectFit {
  return project(ratings, true) ?? project(ratings, false)!;
}

function project(ratings: Ratings, weighted: boolean): SubjectFit | undefined {
  const raters = ratings.raters.length;
  const keys = [...ratings.keys()];
  const lists = keys.map((key) => ratings.of(key)!);
  const given = new Float64Array(raters);
  for (const { raters: by } of lists) for (const rater of by) if (rater >= 0) given[rater]! += 1;
  const quality = Float64Array.from(lists, ({ values }) => opinionOf(values).mos);
  const bias = new Float64Array(raters);
  const inconsistency = new Float64Array(raters);
  const isCorrected = (rater: number) => rater >= 0 && given[rater]! >= leastToCorrect;
  const biasOf = (rater: number) => (rater < 0 ? 0 : bias[rater]!);
  for (let round = 0; round < mostRounds; round++) {
    const sums = new Float64Array(raters);
    eachRating((value, rater, image) => {
      if (isCorrected(rater)) sums[rater]! += value - quality[image]!;
    });
    for (let rater = 0; rater < raters; rater++)
      bias[rater] = isCorrected(rater) ? sums[rater]! / given[rater]! : 0;
    const squares = new Float64Array(raters);
    let [all, n] = [0, 0];
    eachRating((value, rater, image) => {
      const rest = value - quality[image]! - biasOf(rater);
      if (rater >= 0) squares[rater]! += rest ** 2;
      all += rest ** 2;
      n += 1;
    });
    const pooled = Math.sqrt(all / n);
    for (let rater = 0; rater < raters; rater++)
      inconsistency[rater] = isCorrected(rater) ? Math.sqrt(squares[rater]! / given[rater]!) : pooled;
    if (!(pooled > 0)) break;
    if (weighted && inconsistency.some((one) => one < leastInconsistency * pooled)) return undefined;
    let moved = 0;
    for (const [image, { values, raters: by }] of lists.entries()) {
      let [weights, sum] = [0, 0];
      for (let i = 0; i < values.length; i++) {
        const rater = by[i]!;
        const weight = weighted ? 1 / (rater < 0 ? pooled : inconsistency[rater]!) ** 2 : 1;
        weights += weight;
        sum += weight * (values[i]! - biasOf(rater));
      }
      moved += (quality[image]! - sum / weights) ** 2;
      quality[image] = sum / weights;
    }
    if (Math.sqrt(moved) < stopAt) break;
  }
  // Only differences of biases can be told: they are about 0, where no rater without one says where that is.
  if (raters > 0 && lists.every(({ raters: by }) => by.every(isCorrected))) {
    const mean = bias.reduce((sum, one) => sum + one, 0) / raters;
    for (let rater = 0; rater < raters; rater++) bias[rater]! -= mean;
    for (let image = 0; image < quality.length; image++) quality[image]! += mean;
  }
  return { quality: new Map(keys.map((key, i) => [key, quality[i]!])), bias, inconsistency, weighted };

  function eachRating(work: (value: number, rater: number, image: number) => void): void {
    for (const [image, { values, raters: by }] of lists.entries())
      for (let i = 0; i < values.length; i++) work(values[i]!, by[i]!, image);
  }
}

/** The ratings without the biases that their raters turned out to have. */
export function unbiased(ratings: Ratings): Ratings & { fit: SubjectFit } {
  const fit = fitSubjects(ratings);
  return {
    fit,
    raters: ratings.raters,
    keys: () => ratings.keys(),
    of(key) {
      const given = ratings.of(key);
      if (!given) return undefined;
      const { values, raters } = given;
      return {
        raters,
        values: values.map((value, i) => value - (raters[i]! < 0 ? 0 : fit.bias[raters[i]!]!)),
      };
    },
  };
}

/** MOS, standard deviation and number of ratings of each image. */
export function opinionsOf(ratings: Ratings, model: SubjectModel): Map<string, Opinion> {
  const corrected = model === "plain" ? undefined : unbiased(ratings);
  const opinions = new Map<string, Opinion>();
  for (const key of ratings.keys()) {
    const opinion = opinionOf((corrected ?? ratings).of(key)!.values);
    opinions.set(key, corrected ? { ...opinion, mos: corrected.fit.quality.get(key)! } : opinion);
  }
  return opinions;
}

/**
 * What can be told of each rater. `outlier: "screened"`: the screening of observers of ITU-R BT.500-15, A1-2.3.1 (by the kurtosis of
 * each image's ratings), would reject them; `"reversed"`: they rate against the others, by more than chance. None is left out for it.
 */
export function ratersOf(ratings: Ratings): Rater[] {
  const { bias, inconsistency } = fitSubjects(ratings);
  const screen = ratings.raters.map(() => ({
    n: 0,
    above: 0,
    below: 0,
    own: [] as number[],
    others: [] as number[],
  }));
  for (const key of ratings.keys()) {
    const { values, raters } = ratings.of(key)!;
    const { mos, std = 0 } = opinionOf(values);
    const moment = (power: number) =>
      values.reduce((sum, value) => sum + (value - mos) ** power, 0) / values.length;
    const kurtosis = moment(4) / moment(2) ** 2;
    const reach = (kurtosis >= 2 && kurtosis <= 4 ? 2 : Math.sqrt(20)) * std;
    for (const [i, rater] of raters.entries()) {
      if (rater < 0) continue;
      const one = screen[rater]!;
      const value = values[i]!;
      one.n += 1;
      if (std > 0 && value >= mos + reach) one.above += 1;
      if (std > 0 && value <= mos - reach) one.below += 1;
      if (values.length < 2) continue;
      one.own.push(value);
      one.others.push((mos * values.length - value) / (values.length - 1));
    }
  }
  return ratings.raters.map((name, i) => {
    const { n, above, below, own, others } = screen[i]!;
    const agreement = pearson(own, others);
    const far = above + below;
    const screened = far / n > 0.05 && Math.abs(above - below) / far < 0.3;
    // Below 0 by more than chance: Fisher's transformation, one-sided at 1 %.
    const reversed =
      own.length >= leastToCorrect &&
      agreement !== null &&
      Math.atanh(agreement) * Math.sqrt(own.length - 3) < -2.326;
    const outlier = screened ? "screened" : reversed ? "reversed" : undefined;
    return {
      name,
      ratings: n,
      bias: bias[i]!,
      inconsistency: inconsistency[i]!,
      agreement,
      ...(outlier ? { outlier } : {}),
    };
  });
}

function pearson(a: readonly number[], b: readonly number[]): number | null {
  const [meanA, meanB] = [opinionOf(a).mos, opinionOf(b).mos];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB);
    aa += (a[i]! - meanA) ** 2;
    bb += (b[i]! - meanB) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null;
}
