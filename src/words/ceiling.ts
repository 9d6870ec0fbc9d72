import type { HumanCeiling } from "../protocol/results.ts";
import { figure, withInterval } from "./figure.ts";
import type { Translate } from "./translate.ts";

/** How far people agree, and so how far a model can agree with their mean: a line beside the figures. */
export function ceilingText(
  t: Translate,
  { srcc, ci95, splitHalf, alpha }: Pick<HumanCeiling, "srcc" | "ci95" | "splitHalf" | "alpha">,
): string {
  return t(
    "People: a model that knows the true quality would reach SRCC {0} with this MOS; halves of the ratings agree by {1}, Krippendorff’s alpha is {2}.",
    withInterval(srcc, ci95),
    figure(splitHalf),
    figure(alpha),
  );
}
