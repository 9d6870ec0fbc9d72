import { LeafError } from "../engine/base/errors.ts";
import { say } from "../words/text.ts";

/** The whole number that an option was given. Throws LeafError `usage` for anything else. */
export function wholeNumber(
  option: string,
  text: string,
  least: number,
  most = Number.POSITIVE_INFINITY,
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new LeafError(
    "usage",
    Number.isFinite(most)
      ? say`${option} takes a whole number from ${least} to ${most}.`
      : say`${option} takes a whole number, ${least} or more.`,
  );
}
