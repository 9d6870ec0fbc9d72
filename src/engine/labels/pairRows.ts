import { chunksOf, numberOrNull } from "../base/sqlite.ts";
import type { Orders } from "../teachers/teacher.ts";
import { type LeastConfidence, nobody, pairWeight, standing } from "./counting.ts";
import { unusable, usable } from "./rules.ts";
import { type PairSamples, pairSamples, samplesIn, samplesText } from "./samples.ts";
import type { Row, RowIds, Session } from "./session.ts";

export type PairRow =
  | {
      a: string;
      b: string;
      ok: true;
      p: number;
      pAB: number | null;
      pBA: number | null;
      positionBias: number | null;
      confidence: number;
      samples?: PairSamples;
    }
  | { a: string; b: string; ok: false; reason: string };

export interface PairLabel {
  a: string;
  b: string;
  /** P(a better). */
  p: number;
  /** P(a better) asked as (a, b); null where a person judged, as are the next two. */
  pAB: number | null;
  /** P(a better) asked as (b, a); null also where one order was asked. */
  pBA: number | null;
  positionBias: number | null;
  confidence: number;
  human: boolean;
  /** Where p is estimated from several answers: how often each letter came, in each order. */
  samples?: PairSamples;
}

const usablePair = usable("pairs", "p");
const insert = `
  INSERT OR IGNORE INTO pairs(a_id, b_id, teacher_id, status, p, p_ab, p_ba, position_bias, confidence, reason, samples, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const makeRoom = `
  DELETE FROM pairs AS p WHERE p.a_id = ? AND p.b_id = ? AND p.teacher_id = ?
  AND (p.status = 'failed' OR ${unusable("pairs", "p")} OR ? OR p.p_ba IS NULL AND ?)`;

/** As `putPoints`; an answer in both orders takes the place of one in one. Throws RangeError for a pair that is not canonical. */
export function putPairs(
  session: Session,
  teacher: number,
  rows: readonly PairRow[],
  replace: boolean,
): void {
  const now = Date.now();
  for (const row of rows) {
    if (!(row.a < row.b))
      throw new RangeError(`A pair's first hash must be the smaller one: ${row.a}, ${row.b}.`);
    const key = [session.imageId(row.a), session.imageId(row.b), teacher];
    const values = row.ok
      ? (["ok", row.p, row.pAB, row.pBA, row.positionBias, row.confidence, null, samplesText(row)] as const)
      : (["failed", null, null, null, null, null, row.reason, null] as const);
    // Nearly all are new.
    if (session.run(insert, ...key, ...values, now) > 0) continue;
    const isWhole = row.ok && row.pBA !== null;
    if (session.run(makeRoom, ...key, Number(replace), Number(isWhole)) > 0)
      session.run(insert, ...key, ...values, now);
  }
}

const some = 1000;

/**
 * What each pair that the teacher labelled itself weighs in training, in their order: a person's word where there is one, else the
 * teacher's. Undefined for a pair without a usable label of the teacher, or without one in both orders where those are wanted.
 */
export function pairWeights(
  session: Session,
  { teacher, person }: RowIds,
  pairs: readonly (readonly [string, string])[],
  orders: Orders,
  least: LeastConfidence,
): (number | undefined)[] {
  // What stands is the teacher's own row where no person said anything.
  const s = person === nobody ? "p" : "s";
  const own =
    s === "p"
      ? ""
      : `JOIN pairs s ON s.a_id = a.id AND s.b_id = b.id AND ${standing("pairs", "s", { teacher, person })}`;
  const rows = session.all(
    `SELECT j.key AS at, ${pairWeight(s, person, least)} AS weight
     FROM json_each(?) j JOIN images a ON a.hash = j.value ->> 0 JOIN images b ON b.hash = j.value ->> 1
     JOIN pairs p ON p.a_id = a.id AND p.b_id = b.id AND p.teacher_id = ? AND ${usablePair}
       AND (? OR p.p_ba IS NOT NULL) ${own}`,
    JSON.stringify(pairs),
    teacher,
    Number(orders === "one"),
  );
  const found = new Array<number | undefined>(pairs.length).fill(undefined);
  for (const row of rows) found[Number(row.at)] = Number(row.weight);
  return found;
}

export function* missingPairs(
  session: Session,
  judges: RowIds,
  pairs: Iterable<[string, string]>,
  orders: Orders,
): Generator<[string, string]> {
  for (const chunk of chunksOf(pairs, some)) {
    const weights = pairWeights(session, judges, chunk, orders, null);
    for (const [at, pair] of chunk.entries()) if (weights[at] === undefined) yield pair;
  }
}

const columns = `a.hash AS a, b.hash AS b, p.teacher_id, p.p, p.p_ab, p.p_ba, p.position_bias, p.confidence, p.samples`;

/** The label of one pair that stands. */
export function pairOf(session: Session, judges: RowIds, a: string, b: string): PairLabel | undefined {
  const row = session.get(
    `SELECT ${columns} FROM images a JOIN pairs p ON p.a_id = a.id JOIN images b ON b.id = p.b_id
     WHERE a.hash = ? AND b.hash = ? AND ${standing("pairs", "p", judges)}`,
    a,
    b,
  );
  return row && toPair(row, judges);
}

/** All labels that stand, of the rows up to an id, ordered by both hashes. Streams along an index. */
export function* pairsOf(session: Session, judges: RowIds, upTo: number): Generator<PairLabel> {
  if (judges.teacher === nobody && judges.person === nobody) return;
  const rows = session.rows(
    `SELECT ${columns} FROM images a CROSS JOIN pairs p ON p.a_id = a.id CROSS JOIN images b ON b.id = p.b_id
     WHERE ${standing("pairs", "p", judges, { upTo })} ORDER BY a.hash, b.hash`,
  );
  for (const row of rows) yield toPair(row, judges);
}

/** The pairs that training learns from, of the rows up to an id, ordered by both hashes. */
export function* countedPairsOf(
  session: Session,
  judges: RowIds,
  least: LeastConfidence,
  upTo: number,
): Generator<{ a: string; b: string; p: number; weight: number }> {
  const weight = pairWeight("p", judges.person, least);
  const rows = session.rows(
    `SELECT a.hash AS a, b.hash AS b, p.p, ${weight} AS weight
     FROM images a CROSS JOIN pairs p ON p.a_id = a.id CROSS JOIN images b ON b.id = p.b_id
     WHERE ${standing("pairs", "p", judges, { upTo })} AND ${weight} > 0 ORDER BY a.hash, b.hash`,
  );
  for (const row of rows)
    yield { a: String(row.a), b: String(row.b), p: Number(row.p), weight: Number(row.weight) };
}

function toPair(row: Row, { person }: RowIds): PairLabel {
  return {
    a: String(row.a),
    b: String(row.b),
    p: Number(row.p),
    pAB: numberOrNull(row.p_ab),
    pBA: numberOrNull(row.p_ba),
    positionBias: numberOrNull(row.position_bias),
    confidence: Number(row.confidence),
    human: row.teacher_id === person,
    ...samplesIn(row, pairSamples),
  };
}
