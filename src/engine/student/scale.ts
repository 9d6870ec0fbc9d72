import type { StudentCard } from "../../protocol/student.ts";
import { studentToMos } from "../mos/scale.ts";
import type { Judged } from "./student.ts";

/** A student's score on the scale people gave, or on 1..5 before calibration. */
export function reportedScore(card: Pick<StudentCard, "mosScale">, score: number): number {
  return card.mosScale ? studentToMos(score, card.mosScale) : score;
}

/** The same of a standard deviation. */
export function reportedDeviation({ mosScale }: Pick<StudentCard, "mosScale">, sd: number): number {
  return mosScale ? (sd * (mosScale.range[1] - mosScale.range[0])) / 4 : sd;
}

/** Those of the targets beside the main one, each on its own scale. */
export function reportedBeside({ targets = [] }: StudentCard, beside: Judged["beside"]): Judged["beside"] {
  if (!beside) return undefined;
  const own = targets.slice(1).flatMap((target) => {
    const said = beside[target.name];
    if (!said) return [];
    const sd = said.sd === undefined ? {} : { sd: reportedDeviation(target, said.sd) };
    return [[target.name, { score: reportedScore(target, said.score), ...sd }] as const];
  });
  return Object.fromEntries(own);
}
