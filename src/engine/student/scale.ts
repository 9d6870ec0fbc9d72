import type { StudentCard } from "../../protocol/student.ts";
import { studentToMos } from "../mos/scale.ts";

/** A student's score on the scale people gave, or on 1..5 before calibration. */
export function reportedScore(card: Pick<StudentCard, "mosScale">, score: number): number {
  return card.mosScale ? studentToMos(score, card.mosScale) : score;
}

/** The same of a standard deviation. */
export function reportedDeviation({ mosScale }: Pick<StudentCard, "mosScale">, sd: number): number {
  return mosScale ? (sd * (mosScale.range[1] - mosScale.range[0])) / 4 : sd;
}
