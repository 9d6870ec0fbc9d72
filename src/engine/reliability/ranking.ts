import type { LabelStore } from "../labels/labels.ts";
import { fitBradleyTerry } from "../metrics/bradleyTerry.ts";

/** An image in the order that all preferences together give. */
export interface RankedImage {
  hash: string;
  /** 1 is best. */
  rank: number;
  /** By preferences alone, in log-odds of being better than an average image. */
  logit: number;
  /** The same on the scale of the point-wise scores, with its standard error; null where there are too few of these. */
  score: number | null;
  error: number | null;
  /** Preferences that it takes part in. */
  pairs: number;
  /** The point-wise score on 5..1; null without one. */
  point: number | null;
  /** How far both are apart, in standard errors; above 0 the preferences think better of it. */
  apart: number | null;
}

/** Fewer images tell no scale. */
const leastForScale = 3;

/**
 * All preferences of a teacher that stand, a person's in place of its own, as one ranking. `images`: among which.
 */
export function rankImages(store: LabelStore, teacher: string, images: ReadonlySet<string>): RankedImage[] {
  function* pairs() {
    for (const pair of store.pairs(teacher)) if (images.has(pair.a) && images.has(pair.b)) yield pair;
  }
  const points = new Map(Array.from(store.points(teacher), ({ image, score }) => [image, score]));
  return rankPreferences(pairs(), points);
}

/**
 * Preferences as one ranking, best image first: a Bradley-Terry fit. Its scores get mean and spread of the point-wise ones of the same
 * images, so that both are comparable.
 */
export function rankPreferences(
  pairs: Iterable<{ a: string; b: string; p: number }>,
  points: ReadonlyMap<string, number>,
): RankedImage[] {
  const at = new Map<string, number>();
  const [a, b, p]: [number[], number[], number[]] = [[], [], []];
  const place = (hash: string) => {
    if (!at.has(hash)) at.set(hash, at.size);
    return at.get(hash)!;
  };
  for (const pair of pairs) {
    a.push(place(pair.a));
    b.push(place(pair.b));
    p.push(pair.p);
  }
  const fit = fitBradleyTerry({ n: at.size, a, b, p });
  const both = [...at].flatMap(([hash, i]) =>
    points.has(hash) ? [[fit.score[i]!, points.get(hash)!] as const] : [],
  );
  const [ranked, said] = [moments(both.map(([s]) => s)), moments(both.map(([, score]) => score))];
  const known = both.length >= leastForScale && ranked.sd > 0 && said.sd > 0;
  const stretch = said.sd / ranked.sd;
  const order = [...at].sort(([, i], [, j]) => fit.score[j]! - fit.score[i]! || i - j);
  return order.map(([hash, i], place) => {
    const score = known ? said.mean + stretch * (fit.score[i]! - ranked.mean) : null;
    const error = known ? stretch * fit.error[i]! : null;
    const point = points.get(hash) ?? null;
    const apart = score === null || point === null ? null : (score - point) / error!;
    return { hash, rank: place + 1, logit: fit.score[i]!, score, error, pairs: fit.pairs[i]!, point, apart };
  });
}

/**
 * A score on 5..1 for each ranked image that has a point-wise one: that of the ranking, or the mean of both, each weighed by one over its
 * error squared. What the ranking's errors leave of the differences between both is taken for the error of the point-wise scores (a
 * moment estimate, the same for all images).
 */
export function rankedTargets(
  ranked: readonly RankedImage[],
  target: "ranking" | "both",
): Map<string, number> {
  const usable = ranked.filter(({ score, point }) => score !== null && point !== null);
  const ofPoints =
    usable.reduce((sum, { score, point, error }) => sum + (score! - point!) ** 2 - error! ** 2, 0) /
    usable.length;
  return new Map(
    usable.map(({ hash, score, point, error }) => {
      const share = target === "ranking" ? 1 : Math.max(0, ofPoints) / (Math.max(0, ofPoints) + error! ** 2);
      return [hash, point! + share * (score! - point!)];
    }),
  );
}

function moments(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length);
  return { mean, sd };
}
