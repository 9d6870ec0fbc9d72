import { numberOrNull } from "../base/sqlite.ts";
import type { RatingProbabilities } from "../teachers/judgement.ts";
import type { Samples } from "../teachers/teacher.ts";
import { nobody, standing } from "./counting.ts";
import { unusable, usable } from "./rules.ts";
import { pointSamples, samplesIn, samplesText } from "./samples.ts";
import { imagesWithout, type Row, type RowIds, type Session } from "./session.ts";

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
      samples?: Samples;
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
  /** Where the probabilities are estimated from several answers: how often each word came. */
  samples?: Samples;
}

const usablePoint = usable("points", "p");

const insert = `
  INSERT OR IGNORE INTO points(image_id, teacher_id, status, score, excellent, good, fair, poor, bad, mass, confidence, reason, samples, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const makeRoom = `
  DELETE FROM points AS p WHERE p.image_id = ? AND p.teacher_id = ?
  AND (p.status = 'failed' OR ${unusable("points", "p")} OR ?)`;

/** `replace` also takes the place of usable rows: a person may change their mind, a teacher does not. */
export function putPoints(
  session: Session,
  teacher: number,
  rows: readonly PointRow[],
  replace: boolean,
): void {
  const now = Date.now();
  for (const row of rows) {
    const key = [session.imageId(row.image), teacher];
    const values = row.ok
      ? (["ok", row.score, ...row.probabilities, row.mass, row.confidence, null, samplesText(row)] as const)
      : (["failed", null, null, null, null, null, null, null, null, row.reason, null] as const);
    if (session.run(insert, ...key, ...values, now) > 0) continue;
    if (session.run(makeRoom, ...key, Number(replace)) > 0) session.run(insert, ...key, ...values, now);
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

const columns = `i.hash AS image, p.teacher_id, p.score, p.excellent, p.good, p.fair, p.poor, p.bad, p.mass, p.confidence, p.samples`;

/** The label of one image that stands. */
export function pointOf(session: Session, judges: RowIds, image: string): PointLabel | undefined {
  const row = session.get(
    `SELECT ${columns} FROM images i JOIN points p ON p.image_id = i.id
     WHERE i.hash = ? AND ${standing("points", "p", judges)}`,
    image,
  );
  return row && toPoint(row, judges);
}

/** All labels that stand, of the rows up to an id, ordered by hash. Streams along an index. */
export function* pointsOf(session: Session, judges: RowIds, upTo: number): Generator<PointLabel> {
  if (judges.teacher === nobody && judges.person === nobody) return;
  const rows = session.rows(
    `SELECT ${columns} FROM images i CROSS JOIN points p ON p.image_id = i.id
     WHERE ${standing("points", "p", judges, { upTo })} ORDER BY i.hash`,
  );
  for (const row of rows) yield toPoint(row, judges);
}

function toPoint(row: Row, { person }: RowIds): PointLabel {
  const { excellent, good, fair, poor, bad } = row;
  return {
    image: String(row.image),
    score: Number(row.score),
    probabilities: [excellent, good, fair, poor, bad].map(numberOrNull) as unknown as StoredProbabilities,
    mass: numberOrNull(row.mass),
    confidence: Number(row.confidence),
    human: row.teacher_id === person,
    ...samplesIn(row, pointSamples),
  };
}
