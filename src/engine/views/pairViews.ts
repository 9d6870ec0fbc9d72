import type { SQLInputValue } from "node:sqlite";
import type { Page, PairQuery, PairRow } from "../../protocol/images.ts";
import { numberOrNull } from "../base/sqlite.ts";
import { pairWeight, standing } from "../labels/counting.ts";
import { openLabels } from "../labels/labels.ts";
import { usable } from "../labels/rules.ts";
import type { Row } from "../labels/session.ts";
import { sigmoid } from "../teachers/judgement.ts";
import type { Browser } from "./browse.ts";
import {
  type Images,
  inSlices,
  judges,
  numberOf,
  readImages,
  readLabelledImages,
  readScores,
} from "./columns.ts";
import { ordered, pageOf, type Wanted } from "./order.ts";

const { teacher: teacherId, person: humanId } = judges;
const stands = (row: string) => standing("pairs", row, judges, { schema: "labels" });
/** A pair of other images is there to be looked at; training never sees it. */
const bothTrain = "split_of(a.hash) = 'train' AND split_of(b.hash) = 'train'";
/** The teacher's own answer where a person's stands in its place. */
const ownJoin = `LEFT JOIN labels.pairs AS own ON own.a_id = p.a_id AND own.b_id = p.b_id
  AND own.teacher_id = ${teacherId} AND ${usable("pairs", "own")}`;
const scoreJoins = ["a", "b"]
  .map(
    (side) =>
      `LEFT JOIN scores.scores AS s${side} ON s${side}.scorer = :scorer AND s${side}.hash = ${side}.hash`,
  )
  .join(" ");
const disagrees = "(p.p - 0.5) * (sa.score - sb.score) < 0";
/**
 * Labelled pairs of the project's images, a person's word in place of the teacher's, as training takes them. Sorted by
 * `disagreement` the student's and the label's preferences are furthest apart at the end; `bias` is without its sign.
 */
export async function pairs(browser: Browser, query: PairQuery): Promise<Page<PairRow>> {
  browser.sources.refresh();
  const { pairs, list } = await listPairs(browser, query);
  const { rows, total } = pageOf(list, query);
  return {
    rows: [...rows].flatMap((row) => readPair(browser, "p.id = :id", { id: pairs.id[row]! }) ?? []),
    total,
  };
}

/**
 * Stores a person's P(a better), 0, 0.5 or 1, or takes it back with null. Returns the pair as it stands now; null where no
 * label is left. Throws LeafError `failed` for a store that cannot be written.
 */
export function overrulePair(browser: Browser, a: string, b: string, p: number | null): PairRow | null {
  const labels = openLabels(browser.project.labelsFile);
  try {
    labels.overridePair(a, b, p);
  } finally {
    labels.close();
  }
  browser.sources.refresh();
  const [first, second] = a < b ? [a, b] : [b, a];
  const standing = `p.id = (SELECT x.id FROM labels.images AS xa JOIN labels.pairs AS x ON x.a_id = xa.id
    JOIN labels.images AS xb ON xb.id = x.b_id WHERE xa.hash = :first AND xb.hash = :second AND ${stands("x")})`;
  return readPair(browser, standing, { first, second }) ?? null;
}

/** Labelled pairs of images that stand; a row is a place in these. */
interface Pairs {
  length: number;
  id: number[];
  /** Rows of the images. */
  a: number[];
  b: number[];
  p: number[];
  confidence: number[];
  /** The teacher's own. */
  bias: number[];
  byPerson: boolean[];
  /** Whether it weighs anything if both images train. */
  weighs: boolean[];
}

function readPairs(browser: Browser, images: Images): Promise<Pairs> {
  const { shelf } = browser;
  const { teacher, minConfidence } = browser.context();
  const from = { inputs: [images], version: shelf.sources.version("labels") };
  return shelf.keep(`pairs ${JSON.stringify([teacher, minConfidence])}`, from, async () => {
    const rowOf = await readLabelledImages(shelf, images);
    const pairs: Omit<Pairs, "length"> = {
      id: [],
      a: [],
      b: [],
      p: [],
      confidence: [],
      bias: [],
      byPerson: [],
      weighs: [],
    };
    const sql = `SELECT p.id, p.a_id, p.b_id, p.p, p.confidence,
        iif(p.teacher_id = ${teacherId}, p.position_bias, (SELECT own.position_bias FROM labels.pairs AS own
          WHERE own.a_id = p.a_id AND own.b_id = p.b_id AND own.teacher_id = ${teacherId} AND ${usable("pairs", "own")})),
        p.teacher_id = ${humanId}, ${pairWeight("p", humanId, minConfidence)} > 0, ${stands("p")}
      FROM labels.pairs AS p WHERE p.id > :after ORDER BY p.id LIMIT :rows`;
    await inSlices(shelf, sql, 0, { teacher }, (row) => {
      const [id, aId, bId, p, confidence, bias, byPerson, weighs, isStanding] = row;
      const [a, b] = [rowOf.get(aId as number), rowOf.get(bId as number)];
      if (isStanding !== 1 || a === undefined || b === undefined) return;
      pairs.id.push(id as number);
      pairs.a.push(a);
      pairs.b.push(b);
      pairs.p.push(numberOf(p));
      pairs.confidence.push(numberOf(confidence));
      pairs.bias.push(numberOf(bias));
      pairs.byPerson.push(byPerson === 1);
      pairs.weighs.push(weighs === 1);
    });
    return { length: pairs.id.length, ...pairs };
  });
}

/** The pairs that a query asks for, in its order. */
async function listPairs(browser: Browser, query: PairQuery): Promise<{ pairs: Pairs; list: Int32Array }> {
  const { shelf } = browser;
  const { scorer, temperature, splitOf } = browser.context();
  const { show, sort, descending } = query;
  const images = await readImages(shelf);
  const pairs = await readPairs(browser, images);
  // Only a student can disagree; the embedded teacher's scores are the teacher's own.
  const isCompared = show === "disagreement" || sort === "disagreement";
  const scores = isCompared
    ? await readScores(shelf, images, scorer.kind === "student" ? scorer.fingerprint : "")
    : undefined;
  const scoreDifference = (row: number) => scores!.score[pairs.a[row]!]! - scores!.score[pairs.b[row]!]!;

  function wanted(): Wanted {
    const trains = (row: number) => splitOf(images.hashes[row]!) === "train";
    const counts = (row: number) => pairs.weighs[row]! && trains(pairs.a[row]!) && trains(pairs.b[row]!);
    const conditions: Wanted["conditions"] = [];
    if (show === "kept") conditions.push(counts);
    if (show === "discarded") conditions.push((row) => !counts(row));
    if (show === "human") conditions.push((row) => pairs.byPerson[row]!);
    if (show === "disagreement") conditions.push((row) => (pairs.p[row]! - 0.5) * scoreDifference(row) < 0);
    if (query.image !== undefined) {
      const image = images.rowOf.get(query.image);
      conditions.push((row) => pairs.a[row] === image || pairs.b[row] === image);
    }
    if (query.confidence) {
      const [low, high] = query.confidence;
      conditions.push((row) => pairs.confidence[row]! >= low && pairs.confidence[row]! <= high);
    }
    return { conditions, key: keys[sort], descending };
  }

  const keys: Record<PairQuery["sort"], Wanted["key"]> = {
    sampled: undefined,
    confidence: (row) => pairs.confidence[row]!,
    bias: (row) => Math.abs(pairs.bias[row]!),
    /** How far the student's own preference is from the label's, as the loss of `distill` sees it; mirror images are equal. */
    disagreement: (row) =>
      Math.round(Math.abs(pairs.p[row]! - sigmoid(scoreDifference(row) / temperature)) * 1e9),
  };
  const bySplit = show === "kept" || show === "discarded";
  const name = `list of pairs ${JSON.stringify([show, query.confidence, query.image, sort, descending])}`;
  const inputs = [pairs, scores, scores && temperature, bySplit && splitOf];
  const list = await shelf.keep(name, { inputs }, () => ordered(pairs.length, wanted()));
  return { pairs, list };
}

function readPair(
  browser: Browser,
  which: string,
  values: Record<string, SQLInputValue>,
): PairRow | undefined {
  const { scorer, teacher, minConfidence } = browser.context();
  const row: Row | undefined = browser.sources
    .prepare(
      `SELECT a.hash AS a, b.hash AS b, p.p, p.confidence, p.teacher_id = ${humanId} AS byPerson,
         ${pairWeight("p", humanId, minConfidence)} > 0 AND ${bothTrain} AS kept,
         own.p_ab, own.p_ba, own.position_bias, ${disagrees} AS disagrees
       FROM labels.pairs AS p JOIN labels.images AS a ON a.id = p.a_id JOIN labels.images AS b ON b.id = p.b_id
       ${ownJoin} ${scoreJoins} WHERE ${which}`,
    )
    .get({ ...values, teacher, scorer: scorer.kind === "student" ? scorer.fingerprint : "" });
  const a = row && browser.row(String(row.a));
  const b = row && browser.row(String(row.b));
  if (!row || !a || !b) return undefined;
  const p = Number(row.p);
  return {
    a,
    b,
    p,
    pAB: numberOrNull(row.p_ab),
    pBA: numberOrNull(row.p_ba),
    positionBias: numberOrNull(row.position_bias),
    confidence: Number(row.confidence),
    kept: row.kept === 1,
    human: row.byPerson === 1 ? p : null,
    studentDisagrees: row.disagrees === null ? null : row.disagrees === 1,
  };
}
