import { numberOrNull } from "../base/sqlite.ts";
import type { RatingProbabilities } from "../teachers/judgement.ts";
import { unusable, usable } from "./rules.ts";
import { imagesWithout, type Row, type Session } from "./session.ts";

/** As stored: a person gives a score and no probabilities. */
export type StoredProbabilities =
  | RatingProbabilities
  | readonly [number | null, number | null, number | null, number | null, number | null];

export type PointRow =
  | {
      image: string;
      ok: true;
      score: number;
      probabilities: StoredProbabilities;
      mass: number | null;
      confidence: number;
    }
  | { image: string; ok: false; reason: string };

export interface PointLabel {
  image: string;
  /** On 5..1. */
  score: number;
  /** All null where a person judged. */
  probabilities: StoredProbabilities;
  /** Raw mass of the five words; null where a person judged. */
  mass: number | null;
  confidence: number;
  /** True where a person overruled the teacher. */
  human: boolean;
}

const usablePoint = usable("points", "p");

const insert = `
  INSERT OR IGNORE INTO points(image_id, teacher_id, status, score, excellent, good, fair, poor, bad, mass, confidence, reason, created_at)
  SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM images WHERE hash = ?`;

/** `replace` also takes the place of usable rows: a person may change their mind, a teacher does not. */
export function putPoints(
  session: Session,
  teacher: number,
  rows: readonly PointRow[],
  replace: boolean,
): void {
  const now = Date.now();
  for (const row of rows) {
    session.run("INSERT OR IGNORE INTO images(hash) VALUES (?)", row.image);
    session.run(
      `DELETE FROM points AS p WHERE p.image_id = (SELECT id FROM images WHERE hash = ?) AND p.teacher_id = ?
       AND (p.status = 'failed' OR ${unusable("points", "p")} OR ?)`,
      row.image,
      teacher,
      Number(replace),
    );
    const values = row.ok
      ? (["ok", row.score, ...row.probabilities, row.mass, row.confidence, null] as const)
      : (["failed", null, null, null, null, null, null, null, null, row.reason] as const);
    session.run(insert, teacher, ...values, now, row.image);
  }
}

export function missingPoints(
  session: Session,
  teacher: number,
  images: Iterable<string>,
): Generator<string> {
  const labels = `JOIN points p ON p.image_id = i.id AND p.teacher_id = ? AND ${usablePoint}`;
  return imagesWithout(session, labels, teacher, images);
}

const columns = "i.hash AS image, p.teacher_id, score, excellent, good, fair, poor, bad, mass, confidence";

/** The usable label of one image, a person's before the teacher's. */
export function pointOf(
  session: Session,
  teacher: number,
  human: number,
  image: string,
): PointLabel | undefined {
  const row = session.get(
    `SELECT ${columns} FROM images i JOIN points p ON p.image_id = i.id
     WHERE i.hash = ? AND p.teacher_id IN (?, ?) AND ${usablePoint} ORDER BY p.teacher_id = ? DESC LIMIT 1`,
    image,
    teacher,
    human,
    human,
  );
  return row && toPoint(row, human);
}

/** All usable labels up to a row id, ordered by hash, a person's in place of the teacher's. Streams along an index. */
export function* pointsOf(
  session: Session,
  teacher: number,
  human: number,
  maxId: number,
): Generator<PointLabel> {
  const rows = session.rows(
    `SELECT ${columns} FROM images i CROSS JOIN points p ON p.image_id = i.id
     WHERE p.teacher_id IN (?, ?) AND ${usablePoint} AND p.id <= ? ORDER BY i.hash`,
    teacher,
    human,
    maxId,
  );
  let last: PointLabel | undefined;
  for (const row of rows) {
    const label = toPoint(row, human);
    if (last && last.image !== label.image) yield last;
    if (last?.image !== label.image || label.human) last = label;
  }
  if (last) yield last;
}

function toPoint(row: Row, human: number): PointLabel {
  const { excellent, good, fair, poor, bad } = row;
  return {
    image: String(row.image),
    score: Number(row.score),
    probabilities: [excellent, good, fair, poor, bad].map(numberOrNull) as unknown as StoredProbabilities,
    mass: numberOrNull(row.mass),
    confidence: Number(row.confidence),
    human: row.teacher_id === human,
  };
}
