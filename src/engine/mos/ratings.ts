/** The ratings of one image: who gave each stands at the same place of `raters`, -1 for somebody who is not named. */
export interface ImageRatings {
  values: number[];
  raters: number[];
}

/** Single ratings by the key of their image, as they were given. */
export interface Ratings {
  /** Names of the raters; what `ImageRatings.raters` counts. Empty where a file does not say who rated. */
  raters: readonly string[];
  /** Images that have a rating. */
  keys(): IterableIterator<string>;
  of(key: string): ImageRatings | undefined;
  /** How many `of` gives; costs nothing. */
  sizeOf(key: string): number;
}

/** What the ratings of one image come to. */
export interface Opinion {
  mos: number;
  /** Standard deviation of the ratings, n − 1 in its denominator; undefined for a single one. */
  std?: number;
  /** How many ratings; 0 where that is not known. */
  n: number;
}

/** Plain mean and standard deviation (ITU-R BT.500-15, A1-2.2). */
export function opinionOf(values: ArrayLike<number>): Opinion {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i]!;
  const mos = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i]! - mos) ** 2;
  return { mos, n, ...(n > 1 ? { std: Math.sqrt(squares / (n - 1)) } : {}) };
}

/** The same of how often each grade was given. Of shares, which are no whole numbers, how many gave them is not known: n is 0. */
export function opinionOfVotes(grades: readonly number[], counts: readonly number[]): Opinion {
  let [n, sum] = [0, 0];
  for (const [i, count] of counts.entries()) {
    n += count;
    sum += count * grades[i]!;
  }
  const mos = sum / n;
  const squares = counts.reduce((all, count, i) => all + count * (grades[i]! - mos) ** 2, 0);
  if (!counts.every(Number.isInteger)) return { mos, n: 0, std: Math.sqrt(squares / n) };
  return { mos, n, ...(n > 1 ? { std: Math.sqrt(squares / (n - 1)) } : {}) };
}

/** One rating, as a table holds it. */
export interface GivenRating {
  image: string;
  rater: string;
  value: number;
  /** When, in a form that sorts; empty or absent where that is not known. */
  time?: string;
}

/** Ratings as they come in, by image. All count, also a second one of the same rater: so datasets publish their means. */
export interface CollectedRatings extends Ratings {
  add(image: string, value: number, rater: string, time?: string): void;
  /** All ratings of images that somebody rated more than once, of that rater alone. */
  repeated(): GivenRating[];
}

export function collectRatings(): CollectedRatings {
  const byKey = new Map<string, ImageRatings & { times?: string[] }>();
  const raters: string[] = [];
  const placeOf = new Map<string, number>();
  /** By image and rater. */
  const again = new Map<string, GivenRating[]>();
  return {
    raters,
    keys: () => byKey.keys(),
    of: (key) => byKey.get(key),
    sizeOf: (key) => byKey.get(key)?.values.length ?? 0,
    repeated: () => [...again.values()].flat(),
    add(image, value, rater, time = "") {
      let place = rater === "" ? -1 : placeOf.get(rater);
      if (place === undefined) {
        place = raters.push(rater) - 1;
        placeOf.set(rater, place);
      }
      const known = byKey.get(image);
      if (!known) {
        byKey.set(image, { values: [value], raters: [place], ...(time && { times: [time] }) });
        return;
      }
      const before = place < 0 ? -1 : known.raters.indexOf(place);
      if (before >= 0) {
        const key = `${place} ${image}`;
        const first = { image, rater, value: known.values[before]!, time: known.times?.[before] ?? "" };
        again.set(key, [...(again.get(key) ?? [first]), { image, rater, value, time }]);
      }
      if (time) {
        known.times ??= [];
        known.times[known.values.length] = time;
      }
      known.values.push(value);
      known.raters.push(place);
    },
  };
}

/** The same with one rating a rater and image, the mean of theirs: people who agree with themselves do not agree with others. */
export function oncePerRater(ratings: Ratings): Ratings {
  if (ratings.raters.length === 0) return ratings;
  const of = (key: string): ImageRatings | undefined => {
    const given = ratings.of(key);
    if (!given || new Set(given.raters).size === given.raters.length) return given;
    const all = given.raters.map((rater, i) => ({ rater, value: given.values[i]! }));
    const named = [
      ...Map.groupBy(
        all.filter(({ rater }) => rater >= 0),
        ({ rater }) => rater,
      ).values(),
    ];
    const one = [...all.filter(({ rater }) => rater < 0).map((rating) => [rating]), ...named];
    return {
      raters: one.map(([first]) => first!.rater),
      values: one.map((list) => list.reduce((sum, { value }) => sum + value, 0) / list.length),
    };
  };
  return {
    raters: ratings.raters,
    keys: () => ratings.keys(),
    of,
    sizeOf: (key) => of(key)?.values.length ?? 0,
  };
}

/** Of more votes for one image, so many in the same shares: what they agree on is known by then. */
const mostVotes = 5000;

/** Votes as ratings of nobody in particular: `grades` by place, `counts` how often each was given to an image. Shares are none. */
export function ratingsOfVotes(
  grades: readonly number[],
  counts: ReadonlyMap<string, readonly number[]>,
): Ratings {
  const countsOf = (key: string): readonly number[] => {
    const given = counts.get(key);
    if (!given?.every(Number.isInteger)) return [];
    const total = given.reduce((sum, count) => sum + count, 0);
    return total <= mostVotes ? given : given.map((count) => Math.round((count / total) * mostVotes));
  };
  return {
    raters: [],
    keys: () => counts.keys(),
    sizeOf: (key) => countsOf(key).reduce((sum, count) => sum + count, 0),
    of(key) {
      const values = countsOf(key).flatMap((count, i) => Array<number>(count).fill(grades[i]!));
      return values.length > 0 ? { values, raters: values.map(() => -1) } : undefined;
    },
  };
}
