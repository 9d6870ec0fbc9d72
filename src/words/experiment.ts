import type { ArmResult } from "../protocol/experiments.ts";
import { figure, interval, none } from "./figure.ts";

/** No human score trains such a row, and yet it is not free of them: it is marked, and told why. */
export function notFree({ ratings, fitsConfidence }: Pick<ArmResult, "ratings" | "fitsConfidence">): boolean {
  return ratings === 0 && fitsConfidence === true;
}

/** "0.861 [0.842, 0.879]": the median between the quartiles. */
export function medianText(quartiles: [number, number, number] | null): string {
  return quartiles ? `${figure(quartiles[1])} ${interval([quartiles[0], quartiles[2]])}` : none;
}
