import type { ArmResult } from "../protocol/experiments.ts";

/** No human score trains such a row, and yet it is not free of them: it is marked, and told why. */
export function notFree({ ratings, fitsConfidence }: Pick<ArmResult, "ratings" | "fitsConfidence">): boolean {
  return ratings === 0 && fitsConfidence === true;
}
