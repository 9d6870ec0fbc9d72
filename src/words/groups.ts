import { count } from "./figure.ts";
import type { Translate } from "./translate.ts";

/** Of fewer groups a bootstrap knows little of the spread between groups. */
const few = 10;

/** How intervals were drawn, and what few groups mean; empty where it was by image. */
export function groupsNote(t: Translate, groups: number | undefined): string {
  if (groups === undefined) return "";
  const drawn = t("Intervals by group ({0} groups).", count(groups));
  return groups < few
    ? `${drawn} ${t("With fewer than 10 groups the intervals are rough, and often too narrow.")}`
    : drawn;
}
