/** A row of a ratings file. */
export interface RatingRow {
  /** Where it stands in its file. */
  line: number;
  image: string;
  rater: string;
  /** When the rating was given, as it was written; empty where that is not known. */
  time: string;
  /** As a plain decimal number where it is one. */
  rating: string;
  /** The values of the file's other columns, by name. */
  others: Readonly<Record<string, string>>;
}

/** Ratings of one image by one person at one time that are others in the two files. */
export interface RatingConflict {
  image: string;
  rater: string;
  time: string;
  /** What the earlier files say, and what the later one does. */
  ratings: [earlier: string[], later: string[]];
  /** Of the later file. */
  line: number;
}

/** What happens to them: the earlier files' stay alone, or all are kept, as ratings of one image by one person. */
export type OnConflict = "first" | "both";

/**
 * Which rows of `later` the earlier ones lack. The same image, rater and time are the same rating; a row that stands several times in one file
 * does so in the result, as often as in the file that has it most often. So nothing is doubled, and nothing lost: merging is idempotent, and but
 * for conflicts the result is the same in any order of files.
 */
export function missingRows(
  earlier: readonly RatingRow[],
  later: readonly RatingRow[],
  onConflict: OnConflict,
): { rows: RatingRow[]; conflicts: RatingConflict[] } {
  const [had, given] = [Map.groupBy(earlier, keyOf), Map.groupBy(later, keyOf)];
  const taken = new Set<RatingRow>();
  const conflicts: RatingConflict[] = [];
  for (const [key, own] of given) {
    const known = had.get(key) ?? [];
    const more = without(own, known);
    if (more.length > 0 && without(known, own).length > 0) {
      const { image, rater, time, line } = more[0]!;
      const ratings = [known, own].map((rows) => rows.map(({ rating }) => rating)) as [string[], string[]];
      conflicts.push({ image, rater, time, ratings, line });
      if (onConflict === "first") continue;
    }
    for (const row of more) taken.add(row);
  }
  return { rows: later.filter((row) => taken.has(row)), conflicts };
}

/** The rows without one for each rating that the others have. */
function without(rows: readonly RatingRow[], others: readonly RatingRow[]): RatingRow[] {
  const left = others.map(({ rating }) => rating);
  return rows.filter(({ rating }) => {
    const at = left.indexOf(rating);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** Names of one image in different forms of Unicode, or with the other slash, are one. */
function keyOf({ image, rater, time }: RatingRow): string {
  const name = image
    .normalize("NFC")
    .replaceAll("\\", "/")
    .replace(/^(\.\/)+/, "");
  return JSON.stringify([name, rater.normalize("NFC"), instant(time)]);
}

/** A time that says its zone, as the same for all ways of writing it. */
function instant(time: string): string | number {
  const isWhole = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/i.test(time);
  const at = isWhole ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? time : at;
}
