import type { DatabaseSync } from "node:sqlite";
import type { PositionBias } from "../../protocol/results.ts";
import { digestLines } from "../base/keys.ts";
import type { Orders } from "../teachers/teacher.ts";
import type { LeastConfidence } from "./counting.ts";
import {
  countedPairsOf,
  missingPairs,
  type PairLabel,
  type PairRow,
  pairOf,
  pairsOf,
  pairWeights,
  putPairs,
} from "./pairRows.ts";
import { missingPoints, type PointLabel, type PointRow, pointOf, pointsOf, putPoints } from "./pointRows.ts";
import { missingReasons, putReasons, type ReasonRow, reasonOf } from "./reasonRows.ts";
import { type BadRows, type LabelTable, usable } from "./rules.ts";
import type { StoreOptions } from "./schema.ts";
import { openSession } from "./session.ts";
import {
  countLabels,
  findBadRows,
  type LabelCounts,
  listTeachers,
  positionBiasOf,
  type TeacherSummary,
} from "./summary.ts";

export type { LabelCounts, PairLabel, PairRow, PointLabel, PointRow, ReasonRow, TeacherSummary };

export interface TeacherRecord {
  fingerprint: string;
  kind: string;
  /** Never holds a key. */
  description: unknown;
}

/** Rows with larger ids came later. Rows up to them never change; a failed or overruled one may go. */
export interface Snapshot {
  maxPointId: number;
  maxPairId: number;
}

/**
 * All labels of a project, keyed by (image hash, teacher fingerprint). A pair's `a` has the smaller hash. Methods throw
 * LeafError `failed` for a damaged or busy store and a full disk.
 */
export interface LabelStore {
  /** Its path. */
  file: string;
  /** Whose word stands before a teacher's: that of people, or of nobody. */
  person: string;
  registerTeacher(teacher: TeacherRecord): void;
  /** Those of the images that have no usable label of the teacher itself, in their order; looked up 1000 at a time. */
  missingPoints(teacher: string, images: Iterable<string>): Generator<string>;
  missingPairs(
    teacher: string,
    pairs: Iterable<[string, string]>,
    orders?: Orders,
  ): Generator<[string, string]>;
  /** Writes a batch in one transaction: all of it or nothing. A failed row is replaced, a usable one kept. */
  putPoints(teacher: string, rows: readonly PointRow[]): void;
  putPairs(teacher: string, rows: readonly PairRow[]): void;
  /** A person's score on 5..1 for an image, in place of any teacher's; null takes it back. */
  overridePoint(image: string, score: number | null): void;
  /** A person's P(a better), 0, 0.5 or 1, in any order of a and b; null takes it back. */
  overridePair(a: string, b: string, p: number | null): void;
  /** The label of one image that stands: a person's before the teacher's. */
  point(teacher: string, image: string): PointLabel | undefined;
  pair(teacher: string, a: string, b: string): PairLabel | undefined;
  /** What each of some (at most some thousand) pairs weighs in training; undefined where the teacher has no usable label. */
  pairWeights(
    teacher: string,
    pairs: readonly (readonly [string, string])[],
    orders: Orders,
    least: LeastConfidence,
  ): (number | undefined)[];
  /** All labels that stand, ordered by hash: usable, with a person's in place of the teacher's. */
  points(teacher: string, snapshot?: Snapshot): Generator<PointLabel>;
  pairs(teacher: string, snapshot?: Snapshot): Generator<PairLabel>;
  /** The teacher's own usable scores by image. */
  ownScores(teacher: string): Map<string, number>;
  /** Images whose last judgement by the teacher itself failed. */
  failedPoints(teacher: string): Generator<{ image: string; reason: string }>;
  /** Whether each of the newest judgements by the teacher itself is one, the newest first. */
  latest(teacher: string, of: "points" | "pairs", most: number): boolean[];
  failedPairs(teacher: string): Generator<{ a: string; b: string; reason: string }>;
  /** Largest row ids of a teacher and of the people who may overrule it; of "human": of people alone. */
  snapshot(teacher: string): Snapshot;
  /** Digest of what a training learns: the points that stand and the pairs that count; in whatever order they came. */
  digest(teacher: string, snapshot: Snapshot, least: LeastConfidence): string;
  /** Those of the images whose reason the teacher has not given. */
  missingReasons(teacher: string, images: Iterable<string>): Generator<string>;
  putReasons(teacher: string, rows: readonly ReasonRow[]): void;
  /** What the teacher said of an image in words. */
  reason(teacher: string, image: string): string | undefined;
  /** How much the place in the question mattered; null without pairs that were asked in both orders. */
  positionBias(teacher: string): PositionBias | null;
  /** All that have labelled, the newest last; people are not among them. */
  teachers(): TeacherSummary[];
  counts(teacher: string, least: LeastConfidence): LabelCounts;
  /** Whether the teacher itself has any usable label of this kind: asks for one, counts none. */
  hasAny(teacher: string, of: LabelTable): boolean;
  /** Rows that are no labels, of all teachers; reads all rows. */
  badRows(): BadRows;
  /** The database, for bulk work in SQL; its failures are LeafErrors. */
  db: DatabaseSync;
  close(): void;
}

/** Fingerprint and kind of the labels that people give in the editor. */
export const human = "human";

const everything: Snapshot = { maxPointId: Number.MAX_SAFE_INTEGER, maxPairId: Number.MAX_SAFE_INTEGER };

/** No teacher has it. */
const nobody = "";

/**
 * Opens the store, which is made if need be unless `readOnly`. Without `people` no label is a person's: theirs are of the main target.
 * Throws LeafError `failed` if that cannot be.
 */
export function openLabels(
  file: string,
  { people = true, ...options }: StoreOptions & { people?: boolean } = {},
): LabelStore {
  const session = openSession(file, options);
  const person = people ? human : nobody;
  const id = (teacher: string) => session.teacherId(teacher);
  const judges = (teacher: string) => ({ teacher: id(teacher), person: id(person) });

  function registerTeacher({ fingerprint, kind, description }: TeacherRecord): void {
    session.run(
      "INSERT OR IGNORE INTO teachers(fingerprint, kind, description, created_at) VALUES (?, ?, ?, ?)",
      fingerprint,
      kind,
      JSON.stringify(description ?? null),
      Date.now(),
    );
  }

  /** Row id of a teacher who is about to write. */
  function writer(teacher: string): number {
    if (teacher === human) registerTeacher({ fingerprint: human, kind: human, description: {} });
    const known = id(teacher);
    if (known < 0) throw new Error(`The teacher ${teacher} is not registered.`);
    return known;
  }

  const store: LabelStore = {
    file,
    person,
    db: session.db,
    registerTeacher,
    missingPoints: (teacher, images) => missingPoints(session, id(teacher), images),
    missingPairs: (teacher, pairs, orders = "both") => missingPairs(session, judges(teacher), pairs, orders),
    putPoints(teacher, rows) {
      const by = writer(teacher);
      session.transaction(() => putPoints(session, by, rows, teacher === human));
    },
    putPairs(teacher, rows) {
      const by = writer(teacher);
      session.transaction(() => putPairs(session, by, rows, teacher === human));
    },
    overridePoint(image, score) {
      if (score === null) {
        // A row of its own rather than none: the newest id tells that something changed.
        store.putPoints(human, [{ image, ok: false, reason: "taken back" }]);
        return;
      }
      if (!(score >= 1 && score <= 5)) throw new RangeError(`A score is between 1 and 5, not ${score}.`);
      const probabilities = [null, null, null, null, null] as const;
      store.putPoints(human, [{ image, ok: true, score, probabilities, mass: null, confidence: 1 }]);
    },
    overridePair(first, second, preferred) {
      const [a, b] = first < second ? [first, second] : [second, first];
      if (preferred === null) {
        store.putPairs(human, [{ a, b, ok: false, reason: "taken back" }]);
        return;
      }
      if (!(preferred >= 0 && preferred <= 1))
        throw new RangeError(`A preference is between 0 and 1, not ${preferred}.`);
      const p = a === first ? preferred : 1 - preferred;
      const unasked = { pAB: null, pBA: null, positionBias: null };
      store.putPairs(human, [{ a, b, ok: true, p, ...unasked, confidence: 1 }]);
    },
    point: (teacher, image) => pointOf(session, judges(teacher), image),
    pair: (teacher, a, b) => pairOf(session, judges(teacher), a, b),
    pairWeights: (teacher, pairs, orders, least) =>
      pairWeights(session, judges(teacher), pairs, orders, least),
    points: (teacher, snapshot = everything) => pointsOf(session, judges(teacher), snapshot.maxPointId),
    pairs: (teacher, snapshot = everything) => pairsOf(session, judges(teacher), snapshot.maxPairId),
    ownScores(teacher) {
      const scores = new Map<string, number>();
      const rows = session.rows(
        `SELECT i.hash AS image, p.score FROM points p JOIN images i ON i.id = p.image_id
         WHERE p.teacher_id = ? AND ${usable("points", "p")}`,
        id(teacher),
      );
      for (const row of rows) scores.set(String(row.image), Number(row.score));
      return scores;
    },
    *failedPoints(teacher) {
      const rows = session.rows(
        `SELECT i.hash AS image, p.reason FROM images i CROSS JOIN points p ON p.image_id = i.id
         WHERE p.teacher_id = ? AND p.status = 'failed' ORDER BY i.hash`,
        id(teacher),
      );
      for (const row of rows) yield { image: String(row.image), reason: String(row.reason) };
    },
    latest: (teacher, of, most) =>
      session
        .all(`SELECT status FROM ${of} WHERE teacher_id = ? ORDER BY id DESC LIMIT ?`, id(teacher), most)
        .map(({ status }) => status === "ok"),
    *failedPairs(teacher) {
      const rows = session.rows(
        `SELECT a.hash AS a, b.hash AS b, p.reason FROM pairs p JOIN images a ON a.id = p.a_id JOIN images b ON b.id = p.b_id
         WHERE p.teacher_id = ? AND p.status = 'failed'`,
        id(teacher),
      );
      for (const row of rows) yield { a: String(row.a), b: String(row.b), reason: String(row.reason) };
    },
    snapshot(teacher) {
      const row = session.get(
        `SELECT (SELECT coalesce(max(id), 0) FROM points WHERE teacher_id IN (?1, ?2)) AS maxPointId,
           (SELECT coalesce(max(id), 0) FROM pairs WHERE teacher_id IN (?1, ?2)) AS maxPairId`,
        id(teacher),
        id(person),
      )!;
      return { maxPointId: Number(row.maxPointId), maxPairId: Number(row.maxPairId) };
    },
    digest(teacher, { maxPointId, maxPairId }, least) {
      function* lines() {
        for (const { image, score } of pointsOf(session, judges(teacher), maxPointId))
          yield `${image} ${score}`;
        for (const { a, b, p, weight } of countedPairsOf(session, judges(teacher), least, maxPairId))
          yield `${a} ${b} ${p} ${weight}`;
      }
      return digestLines(lines());
    },
    missingReasons: (teacher, images) => missingReasons(session, id(teacher), images),
    putReasons(teacher, rows) {
      const by = writer(teacher);
      session.transaction(() => putReasons(session, by, rows));
    },
    reason: (teacher, image) => reasonOf(session, id(teacher), image),
    positionBias: (teacher) => positionBiasOf(session, id(teacher)),
    teachers: () => listTeachers(session),
    counts: (teacher, least) => countLabels(session, judges(teacher), least),
    hasAny: (teacher, of) =>
      session.get(
        `SELECT 1 FROM ${of} p WHERE teacher_id = ? AND ${usable(of, "p")} LIMIT 1`,
        id(teacher),
      ) !== undefined,
    badRows: () => findBadRows(session),
    close: session.close,
  };
  return store;
}
