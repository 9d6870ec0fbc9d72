import type { PositionBias } from "../../protocol/reliability.ts";
import type { LabelStore } from "../labels.ts";

/** Over all of the teacher's own pairs that were asked in both orders; null if there are none. One pass in SQL. */
export function positionBiasOf({ db }: LabelStore, teacher: string): PositionBias | null {
  // Deviations from a value of the set itself, so that a large mean costs no precision.
  const row = db
    .prepare(
      `WITH own AS (SELECT position_bias AS bias, p_ab, p_ba FROM pairs
         WHERE teacher_id = (SELECT id FROM teachers WHERE fingerprint = ?) AND status = 'ok' AND p_ba IS NOT NULL),
       shift AS (SELECT bias AS by FROM own LIMIT 1)
       SELECT count(*) AS n, max(by) AS shift, avg(bias - by) AS mean, avg((bias - by) * (bias - by)) AS square,
         avg((p_ab - 0.5) * (p_ba - 0.5) < 0) AS flips FROM own, shift`,
    )
    .get(teacher)!;
  const n = Number(row.n);
  if (n === 0) return null;
  const mean = Number(row.mean);
  return {
    n,
    mean: Number(row.shift) + mean,
    sd: Math.sqrt(Math.max(0, Number(row.square) - mean * mean)),
    flips: Number(row.flips),
  };
}
