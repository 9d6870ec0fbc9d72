import { collectRatings, type Ratings } from "../../src/engine/mos/ratings.ts";

/** `table[image][rater]`; null: not rated. */
export function ratingsOf(table: readonly (readonly (number | null)[])[]): Ratings {
  const ratings = collectRatings();
  for (const [image, row] of table.entries())
    for (const [rater, value] of row.entries())
      if (value !== null) ratings.add(`image ${image}`, value, `rater ${rater}`);
  return ratings;
}
