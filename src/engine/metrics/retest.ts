import type { Retest } from "../../protocol/results.ts";
import type { GivenRating } from "../mos/ratings.ts";
import { srcc } from "./rank.ts";

/** Of everybody who has rated an image more than once, by name: the first two ratings count. Rows of one time are one rating. */
export function retestsOf(ratings: Iterable<GivenRating>): Retest[] {
  const given = new Map<string, Map<string, GivenRating[]>>();
  for (const one of ratings) {
    if (one.rater === "") continue;
    const images = given.get(one.rater) ?? new Map<string, GivenRating[]>();
    given.set(one.rater, images);
    const before = images.get(one.image) ?? [];
    if (!before.some(({ time }) => time && time === one.time)) images.set(one.image, [...before, one]);
  }
  return [...given].flatMap(([rater, images]) => {
    const twice = [...images.values()].filter(({ length }) => length > 1).map(inTime);
    return twice.length > 0 ? [retestOf(rater, twice)] : [];
  });
}

/** Where one has no time, they stay in the order of the table. */
function inTime(ratings: GivenRating[]): GivenRating[] {
  if (ratings.some(({ time }) => !time)) return ratings;
  return [...ratings].sort((a, b) => (a.time! < b.time! ? -1 : 1));
}

function retestOf(rater: string, twice: readonly GivenRating[][]): Retest {
  const [first, second] = [0, 1].map((at) => Float64Array.from(twice, (list) => list[at]!.value));
  const differences = second!.map((value, i) => value - first![i]!);
  const mean = (values: Float64Array) => values.reduce((sum, one) => sum + one, 0) / values.length;
  return {
    rater,
    images: twice.length,
    srcc: srcc(first!, second!),
    meanDifference: mean(differences),
    sd: Math.sqrt(mean(differences.map((d) => d * d)) / 2),
  };
}
