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
 * All preferences of a teacher that stand, a person's in place of its own, as one ranking: a Bradley-Terry fit. Its scores get mean and
 * spread of the point-wise ones of the same images, so that both are comparable. `images`: among which.
 */
export function rankImages(store: LabelStore, teacher: string, images: ReadonlySet<string>): RankedImage[] {
  const at = new Map<string, number>();
  const [a, b, p]: [number[], number[], number[]] = [[], [], []];
  const place = (hash: string) => {
    if (!at.has(hash)) at.set(hash, at.size);
    return at.get(hash)!;
  };
  for (const pair of store.pairs(teacher)) {
    if (!images.has(pair.a) || !images.has(pair.b)) continue;
    a.push(place(pair.a));
    b.push(place(pair.b));
    p.push(pair.p);
  }
  const fit = fitBradleyTerry({ n: at.size, a, b, p });
  const points = new Map<string, number>();
  for (const { image, score } of store.points(teacher)) if (at.has(image)) points.set(image, score);
  const both = [...points].map(([hash, score]) => [fit.score[at.get(hash)!]!, score] as const);
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

function moments(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length);
  return { mean, sd };
}
