import { describe, expect, it } from "vitest";
import { retestsOf } from "../../../src/engine/metrics/retest.ts";
import { collectRatings } from "../../../src/engine/mos/ratings.ts";

const day = (n: number) => `2026-05-0${n}T10:00:00.000Z`;
/** Ada rates four images twice: 1 2 3 4, then 2 2 5 3. */
const ada = [1, 2, 3, 4].flatMap((value, i) => [
  { image: `${i}`, rater: "Ada", value, time: day(1) },
  { image: `${i}`, rater: "Ada", value: [2, 2, 5, 3][i]!, time: day(2) },
]);

describe("who rates an image twice", () => {
  it("agrees with themselves as far as can be calculated by hand", () => {
    // Differences 1, 0, 2, −1. Ranks 1 2 3 4 and 1.5 1.5 4 3: 3.5 / √(5 · 4.5).
    const [retest] = retestsOf(ada);
    expect(retest).toMatchObject({ rater: "Ada", images: 4, meanDifference: 0.5 });
    expect(retest!.srcc).toBeCloseTo(3.5 / Math.sqrt(22.5), 12);
    expect(retest!.sd).toBeCloseTo(Math.sqrt(6 / 8), 12);
  });

  it("is told first by time, where there is one, else by the order of the table", () => {
    expect(retestsOf([...ada].reverse())).toEqual([
      { ...retestsOf(ada)[0], srcc: expect.closeTo(0.7379, 4) },
    ]);
    const timeless = [...ada].reverse().map(({ time: _, ...one }) => one);
    expect(retestsOf(timeless)[0]!.meanDifference).toBe(-0.5);
  });

  it("is none where a row stands there twice, nobody is named, or each image was rated once", () => {
    expect(retestsOf([ada[0]!, ada[0]!, { ...ada[1]!, rater: "Bo" }])).toEqual([]);
    expect(retestsOf(ada.map((one) => ({ ...one, rater: "" })))).toEqual([]);
  });

  it("is found among all ratings, which count all the same, as datasets publish their means", () => {
    const ratings = collectRatings();
    for (const { image, value, rater, time } of ada) ratings.add(image, value, rater, time);
    ratings.add("0", 5, "Bo");
    ratings.add("0", 4, "");
    ratings.add("0", 3, "");
    expect(ratings.of("0")).toMatchObject({ values: [1, 2, 5, 4, 3], raters: [0, 0, 1, -1, -1] });
    expect(retestsOf(ratings.repeated())).toEqual(retestsOf(ada));
  });
});
