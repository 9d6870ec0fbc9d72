import { expect, it } from "vitest";
import { collectRatings } from "../../../src/engine/mos/ratings.ts";
import { raterFacts, ratersTable } from "../../../src/engine/report/ratersTable.ts";

it("tells of each rater how many images they rated, and how they agree with the others and with themselves", () => {
  const ratings = collectRatings();
  for (const [i, value] of [1, 2, 3, 4, 5].entries()) {
    ratings.add(`${i}`, value, "Ada");
    ratings.add(`${i}`, 6 - value, "=Bo");
  }
  const retest = { images: 4, srcc: 0.5, meanDifference: 0.25, sd: 0.5 };
  const facts = raterFacts({ ratings, how: "rows", retests: [{ rater: "Ada", ...retest }] });
  expect(facts).toMatchObject([
    { name: "Ada", ratings: 5, agreement: -1, retest },
    { name: "=Bo", ratings: 5, agreement: -1 },
  ]);
  expect(facts[1]).not.toHaveProperty("retest");
  const { header, rows } = ratersTable(facts);
  expect(rows.map((row) => row.length)).toEqual([header.length, header.length]);
  expect(rows[0]!.slice(5, 9)).toEqual(["4", "0.500", "+0.25", "0.50"]);
  expect(rows[1]!.slice(5, 9)).toEqual(["0", "", "", ""]);
});
