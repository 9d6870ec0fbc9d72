import type { Retest } from "../protocol/results.ts";
import { count, figure, signed } from "./figure.ts";
import type { Translate } from "./translate.ts";

/** How far somebody agrees with themselves on images that they have rated twice. */
export function retestText(t: Translate, { images, srcc, meanDifference, sd }: Retest): string {
  return t(
    "rated twice: {0} images, SRCC {1}, second minus first {2} on average, a single rating ± {3}",
    count(images),
    figure(srcc),
    signed(meanDifference, 2),
    figure(sd, 2),
  );
}
