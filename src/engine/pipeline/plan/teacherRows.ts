import { targetScores } from "./pointTargets.ts";
import type { Plan, TrainingRow } from "./types.ts";

/** As for the student's own scale (`fit_scale` of the trainer): fewer images fit a line by chance. */
const leastForScale = 5;

/**
 * What the teacher says of the training images that do not calibrate, on the scale of the human scores: calibration is held to it. Scores
 * are carried over by the line of least squares through the calibration images; without a rising one the teacher has nothing to
 * say, and there are no rows. All of it follows from the distilled student's key and the rows of the plan.
 */
export async function teacherRows(
  plan: Plan,
  { rows }: { rows: readonly TrainingRow[] },
): Promise<TrainingRow[]> {
  const label = await plan.label();
  const store = plan.labels();
  if (!store) return [];
  // As the student learnt them: a person's word in place of the teacher's.
  const scores = targetScores(plan, label, store);
  const rated = rows.filter(({ split }) => split === "train");
  const both = rated.flatMap(({ hash, target }) => {
    const score = scores.get(hash);
    return score === undefined || target === null ? [] : [[score, target] as const];
  });
  const scale = risingLine(both);
  if (!scale) return [];
  const chosen = new Set(rated.map(({ hash }) => hash));
  return label.needs.train.flatMap((hash): TrainingRow[] => {
    const score = chosen.has(hash) ? undefined : scores.get(hash);
    return score === undefined ? [] : [{ hash, split: "train", target: scale(score) }];
  });
}

/** The line of least squares; undefined for fewer than 5 points, and where it does not rise. */
export function risingLine(
  points: readonly (readonly [number, number])[],
): ((x: number) => number) | undefined {
  const n = points.length;
  if (n < leastForScale) return undefined;
  const mean = (i: 0 | 1) => points.reduce((sum, point) => sum + point[i], 0) / n;
  const [x, y] = [mean(0), mean(1)];
  let [squares, products] = [0, 0];
  for (const point of points) {
    squares += (point[0] - x) ** 2;
    products += (point[0] - x) * (point[1] - y);
  }
  const slope = products / squares;
  return Number.isFinite(slope) && slope > 0 ? (score) => y + slope * (score - x) : undefined;
}
