import { chunksOf, numberOrNull } from "../base/sqlite.ts";
import type { RatingProbabilities } from "../teachers/judgement.ts";
import type { LabelStore } from "./labels.ts";
import type { PairLabel } from "./pairRows.ts";
import { usable } from "./rules.ts";

export interface OwnPoint {
  image: string;
  /** On 5..1; NaN, as the probabilities, where an import left it empty. */
  score: number;
  probabilities: RatingProbabilities;
  /** Raw mass of the five words; 1 where it is not known. */
  mass: number;
  /** 1 − normalised entropy. */
  confidence: number;
}

/** `p` is NaN where an import left it empty. */
export type OwnPair = Omit<PairLabel, "human">;

const perQuery = 500;
const teacherId = "(SELECT id FROM teachers WHERE fingerprint = ?)";

const numberOf = (value: unknown) => numberOrNull(value) ?? Number.NaN;

/** What the teacher itself said of some images (never a person's word in its place), looked up 500 at a time. */
export function* ownPoints(
  store: LabelStore,
  teacher: string,
  images: Iterable<string>,
): Generator<OwnPoint> {
  const find = store.db.prepare(
    `SELECT j.value AS image, p.score, p.excellent, p.good, p.fair, p.poor, p.bad, p.mass, p.confidence
     FROM json_each(?) j JOIN images i ON i.hash = j.value
     JOIN points p ON p.image_id = i.id AND p.teacher_id = ${teacherId} AND ${usable("points", "p")} ORDER BY j.key`,
  );
  for (const some of chunksOf(images, perQuery))
    for (const row of find.all(JSON.stringify(some), teacher)) {
      const { excellent, good, fair, poor, bad } = row;
      yield {
        image: String(row.image),
        score: numberOf(row.score),
        probabilities: [excellent, good, fair, poor, bad].map(numberOf) as unknown as RatingProbabilities,
        mass: numberOrNull(row.mass) ?? 1,
        confidence: Number(row.confidence),
      };
    }
}

/** The teacher's own preferences whose images are both among `images`. Costs as much as these have pairs, not as the store has. */
export function* ownPairs(
  store: LabelStore,
  teacher: string,
  images: ReadonlySet<string>,
): Generator<OwnPair> {
  const find = store.db.prepare(
    `SELECT a.hash AS a, b.hash AS b, p.p, p.p_ab, p.p_ba, p.position_bias, p.confidence
     FROM json_each(?) j JOIN images a ON a.hash = j.value
     JOIN pairs p ON p.a_id = a.id AND p.teacher_id = ${teacherId} AND ${usable("pairs", "p")}
     JOIN images b ON b.id = p.b_id ORDER BY j.key, b.hash`,
  );
  for (const some of chunksOf([...images].sort(), perQuery))
    for (const row of find.iterate(JSON.stringify(some), teacher)) {
      const [a, b] = [String(row.a), String(row.b)];
      if (!images.has(b)) continue;
      yield ownPair(row, a, b);
    }
}

/** Of some pairs those that the teacher itself has a preference of, in their order. */
export function* ownPairsOf(
  store: LabelStore,
  teacher: string,
  pairs: Iterable<readonly [string, string]>,
): Generator<OwnPair> {
  const find = store.db.prepare(
    `SELECT a.hash AS a, b.hash AS b, p.p, p.p_ab, p.p_ba, p.position_bias, p.confidence
     FROM json_each(?) j JOIN images a ON a.hash = j.value ->> 0 JOIN images b ON b.hash = j.value ->> 1
     JOIN pairs p ON p.a_id = a.id AND p.b_id = b.id AND p.teacher_id = ${teacherId} AND ${usable("pairs", "p")}
     ORDER BY j.key`,
  );
  for (const some of chunksOf(pairs, perQuery))
    for (const row of find.all(JSON.stringify(some), teacher))
      yield ownPair(row, String(row.a), String(row.b));
}

function ownPair(row: Record<string, unknown>, a: string, b: string): OwnPair {
  return {
    a,
    b,
    p: numberOf(row.p),
    pAB: numberOrNull(row.p_ab),
    pBA: numberOrNull(row.p_ba),
    positionBias: numberOrNull(row.position_bias),
    confidence: Number(row.confidence),
  };
}
