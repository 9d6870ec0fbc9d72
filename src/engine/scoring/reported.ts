import type { StudentCard } from "../../protocol/student.ts";
import { isFar } from "../student/outOfDistribution.ts";
import { reportedBeside, reportedDeviation, reportedScore } from "../student/scale.ts";
import type { Judged } from "../student/student.ts";

/** What is told of an image; on the scale people gave, or on 1..5 before calibration. Absent where unknown. */
export interface Score {
  score: number;
  /** Standard deviation of a person's score around it, on the same scale. */
  sd?: number;
  /** The same of every target by name, the main one first; absent where there is one alone. */
  targets?: Record<string, { score: number; sd?: number }>;
  /** From the images that the student was distilled on, in units of its threshold; `far` above 1. */
  distance?: number;
  far?: boolean;
}

export function reported(card: StudentCard, { score, sd, beside, distance }: Judged): Score {
  const main = {
    score: reportedScore(card, score),
    ...(sd !== undefined && { sd: reportedDeviation(card, sd) }),
  };
  const others = reportedBeside(card, beside);
  const name = card.targets?.[0]?.name;
  const far = isFar(distance);
  return {
    ...main,
    ...(others && name !== undefined && { targets: { [name]: main, ...others } }),
    ...(far !== null && { distance: distance!, far }),
  };
}
