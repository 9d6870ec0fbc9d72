import type { PositionBias } from "../../protocol/results.ts";
import type { Row, Session } from "./session.ts";

export interface LabelCounts {
  points: { ok: number; failed: number };
  /** `kept` have the confidence that was asked for. */
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

export function countLabels(session: Session, teacher: number, minConfidence: number): LabelCounts {
  const count = (table: "points" | "pairs", condition: string, ...values: number[]) =>
    Number(
      session.get(
        `SELECT count(*) AS n FROM ${table} WHERE teacher_id = ? AND ${condition}`,
        teacher,
        ...values,
      )?.n,
    );
  const ok = count("pairs", "status = 'ok'");
  const kept = count("pairs", "status = 'ok' AND confidence > 0 AND confidence >= ?", minConfidence);
  return {
    points: { ok: count("points", "status = 'ok'"), failed: count("points", "status = 'failed'") },
    pairs: { ok, failed: count("pairs", "status = 'failed'"), kept, discarded: ok - kept },
  };
}

export function positionBiasOf(session: Session, teacher: number): PositionBias | null {
  const row = session.get(
    `SELECT count(*) AS n, avg((p_ab + 1 - p_ba) / 2) AS first,
       avg((p_ab - 0.5) * (p_ba - 0.5) < 0) AS flipped
     FROM pairs WHERE teacher_id = ? AND status = 'ok' AND p_ab IS NOT NULL AND p_ba IS NOT NULL`,
    teacher,
  ) as Row;
  const pairs = Number(row.n);
  return pairs === 0 ? null : { pairs, first: Number(row.first), flipped: Number(row.flipped) };
}

export function listTeachers(session: Session): TeacherSummary[] {
  const rows = session.all(
    `SELECT fingerprint, kind, description, created_at,
       (SELECT count(*) FROM points p WHERE p.teacher_id = t.id AND p.status = 'ok') AS points,
       (SELECT count(*) FROM pairs p WHERE p.teacher_id = t.id AND p.status = 'ok') AS pairs
     FROM teachers t WHERE kind <> 'human' ORDER BY created_at, id`,
  );
  return rows.map((row) => ({
    fingerprint: String(row.fingerprint),
    kind: String(row.kind),
    description: JSON.parse(String(row.description)),
    points: Number(row.points),
    pairs: Number(row.pairs),
    created: Number(row.created_at),
  }));
}
