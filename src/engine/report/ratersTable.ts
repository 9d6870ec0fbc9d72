import { count, figure, signed } from "../../words/figure.ts";
import type { Catalog } from "../dataset/catalog.ts";
import { ratersOf } from "../mos/subjects.ts";
import type { RaterFacts, ReportTable } from "./data.ts";

/** Those who rated, in the order of the file; none where it does not say who did. */
export function raterFacts({ ratings, retests = [] }: NonNullable<Catalog["raw"]>): RaterFacts[] {
  const twice = new Map(retests.map(({ rater, ...retest }) => [rater, retest]));
  return ratersOf(ratings).map((one) => {
    const retest = twice.get(one.name);
    return { ...one, ...(retest && { retest }) };
  });
}

const outliers = { screened: "BT.500 would reject them", reversed: "rates against the others" };

export function ratersTable(raters: readonly RaterFacts[]): ReportTable {
  const rows = raters.map(({ name, ratings, bias, inconsistency, agreement, outlier, retest }) => [
    name,
    count(ratings),
    signed(bias, 2),
    figure(inconsistency, 2),
    figure(agreement, 2),
    ...(retest
      ? [count(retest.images), figure(retest.srcc), signed(retest.meanDifference, 2), figure(retest.sd, 2)]
      : ["0", "", "", ""]),
    outlier ? outliers[outlier] : "",
  ]);
  return {
    title: "Raters",
    header: [
      "Rater",
      "Ratings",
      "Bias",
      "Inconsistency",
      "With others",
      "Rated twice",
      "SRCC with oneself",
      "Second − first",
      "±",
      "",
    ],
    rows,
    note:
      "Bias and inconsistency: ITU-T P.913, 12.6. With others: Pearson correlation with the mean of the other raters. Rated twice: images, SRCC of second with first ratings, " +
      "their mean difference, and the standard deviation of a single rating by it.",
  };
}
