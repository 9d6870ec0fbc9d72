import type { PositionBias } from "../../protocol/results.ts";
import { type LeastConfidence, pairWeight, standing } from "./counting.ts";
import { type BadRows, badRows, describedBy, labelFault, unusable, usable } from "./rules.ts";
import type { Row, RowIds, Session } from "./session.ts";

export interface LabelCounts {
  /** `ok` and `failed` are the teacher's own. */
  points: { ok: number; failed: number };
  /** Of the pairs that stand, a person's in place of the teacher's, training learns from the `kept` ones. */
  pairs: { ok: number; failed: number; kept: number; discarded: number };
}

export interface TeacherSummary {
  fingerprint: string;
  kind: string;
  description: unknown;
  points: number;
  pairs: number;
  /** Unix milliseconds of the first label. */
  created: number;
}

export function countLabels(session: Session, judges: RowIds, least: LeastConfidence): LabelCounts {
  const count = (table: "points" | "pairs", condition: string) =>
    Number(session.get(`SELECT count(*) AS n FROM ${table} AS p WHERE ${condition}`)?.n);
  const own = (table: "points" | "pairs") => ({
    ok: count(table, `p.teacher_id = ${judges.teacher} AND ${usable(table, "p")}`),
    failed: count(table, `p.teacher_id = ${judges.teacher} AND p.status = 'failed'`),
  });
  const stands = standing("pairs", "p", judges);
  const kept = count("pairs", `${stands} AND ${pairWeight("p", judges.person, least)} > 0`);
  return {
    points: own("points"),
    pairs: { ...own("pairs"), kept, discarded: count("pairs", stands) - kept },
  };
}

/** One pass in SQL; null without pairs that were asked in both orders. */
export function positionBiasOf(session: Session, teacher: number): PositionBias | null {
  // Deviations from a value of the set itself, so that a large mean costs no precision.
  const row = session.get(
    `WITH own AS (SELECT position_bias AS bias, p_ab, p_ba FROM pairs AS p
       WHERE p.teacher_id = ? AND ${usable("pairs", "p")} AND p_ab IS NOT NULL AND p_ba IS NOT NULL),
     shift AS (SELECT bias AS by FROM own LIMIT 1)
     SELECT count(*) AS n, max(by) AS shift, avg(bias - by) AS mean, avg((bias - by) * (bias - by)) AS square,
       avg((p_ab + 1 - p_ba) / 2) AS first, avg((p_ab - 0.5) * (p_ba - 0.5) < 0) AS flipped FROM own, shift`,
    teacher,
  ) as Row;
  const pairs = Number(row.n);
  if (pairs === 0) return null;
  const mean = Number(row.mean);
  const sd = Math.sqrt(Math.max(0, Number(row.square) - mean * mean));
  return {
    pairs,
    first: Number(row.first),
    flipped: Number(row.flipped),
    logits: { mean: Number(row.shift) + mean, sd },
  };
}

/** Rows that say `ok` and are no labels: somebody else wrote them. They count as missing wherever labels are read. */
export function findBadRows(session: Session): BadRows {
  const bad = badRows();
  for (const table of ["points", "pairs"] as const)
    for (const row of session.rows(`SELECT x.* FROM ${table} x WHERE ${unusable(table, "x")}`))
      bad.add(`${table} ${Number(row.id)}: ${labelFault(table, row) ?? "it is none"}`);
  return { count: bad.count, examples: bad.examples };
}

export function listTeachers(session: Session): TeacherSummary[] {
  const rows = session.all(
    `SELECT fingerprint, kind, description, created_at,
       (SELECT count(*) FROM points p WHERE p.teacher_id = t.id AND ${usable("points", "p")}) AS points,
       (SELECT count(*) FROM pairs p WHERE p.teacher_id = t.id AND ${usable("pairs", "p")}) AS pairs
     FROM teachers t WHERE kind <> 'human' ORDER BY created_at, id`,
  );
  return rows.map((row) => ({
    fingerprint: String(row.fingerprint),
    kind: String(row.kind),
    description: describedBy(row.description),
    points: Number(row.points),
    pairs: Number(row.pairs),
    created: Number(row.created_at),
  }));
}
