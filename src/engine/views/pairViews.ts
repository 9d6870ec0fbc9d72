import type { SQLInputValue } from "node:sqlite";
import type { Page, PairQuery, PairRow } from "../../protocol/images.ts";
import { numberOrNull } from "../base/sqlite.ts";
import { pairWeight, standing } from "../labels/counting.ts";
import { human, openLabels } from "../labels/labels.ts";
import { usable } from "../labels/rules.ts";
import type { Row } from "../labels/session.ts";
import type { Browser } from "./browse.ts";
import type { ViewPlan } from "./orderedViews.ts";
import type { SourceName } from "./sources.ts";

const teacherId = "(SELECT id FROM labels.teachers WHERE fingerprint = :teacher)";
const humanId = `(SELECT id FROM labels.teachers WHERE fingerprint = '${human}')`;
const stands = (row: string) =>
  standing("pairs", row, { teacher: teacherId, person: humanId }, { schema: "labels" });
const isImage = (hash: string) =>
  `EXISTS (SELECT 1 FROM dataset.files AS f WHERE f.hash = ${hash} AND f.error IS NULL)`;
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
/** How far the student's own preference is from the label's, as the loss of `distill` sees it; mirror images are equal. */
const difference = "round(abs(p.p - 1 / (1 + exp((sb.score - sa.score) / :temperature))), 9)";

/**
 * Labelled pairs of the project's images, a person's word in place of the teacher's, as training takes them. Sorted by
 * `disagreement` the student's and the label's preferences are furthest apart at the end; `bias` is without its sign.
 */
export async function pairs(browser: Browser, query: PairQuery): Promise<Page<PairRow>> {
  const page = await browser.views.page(planPairs(browser, query), query.offset, query.limit);
  const rows = page.refs.flatMap((id) => readPair(browser, "p.id = :id", { id }) ?? []);
  return { rows, total: page.total };
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

function planPairs(browser: Browser, query: PairQuery): ViewPlan {
  const { sources } = browser;
  const { scorer, teacher, minConfidence, temperature } = browser.context();
  const values: Record<string, SQLInputValue> = { teacher };
  const conditions = [stands("p"), isImage("a.hash"), isImage("b.hash")];
  const counts = `(${pairWeight("p", humanId, minConfidence)} > 0 AND ${bothTrain})`;
  if (query.show === "kept") conditions.push(counts);
  if (query.show === "discarded") conditions.push(`NOT ${counts}`);
  if (query.show === "human") conditions.push(`p.teacher_id = ${humanId}`);
  if (query.image !== undefined) {
    conditions.push(":image IN (a.hash, b.hash)");
    values.image = query.image;
  }
  if (query.confidence) {
    conditions.push("p.confidence BETWEEN :low AND :high");
    [values.low, values.high] = query.confidence;
  }
  // Only a student can disagree; the embedded teacher's scores are the teacher's own.
  const compared = query.show === "disagreement" || query.sort === "disagreement";
  if (compared) values.scorer = scorer.kind === "student" ? scorer.fingerprint : "";
  if (query.show === "disagreement") conditions.push(`ifnull(${disagrees}, 0)`);
  if (query.sort === "disagreement") values.temperature = temperature;
  const bySplit = query.show === "kept" || query.show === "discarded";
  const keys = {
    sampled: "p.id",
    confidence: "p.confidence",
    bias: "abs(own.position_bias)",
    disagreement: difference,
  };
  const depends: SourceName[] = ["dataset", "labels", ...(compared ? (["scores"] as const) : [])];
  return {
    name: `pairs ${JSON.stringify([query.show, query.confidence, query.image, query.sort, bySplit ? minConfidence : ""])}`,
    version: () =>
      [
        teacher,
        values.scorer,
        values.temperature,
        bySplit ? browser.revision() : "",
        ...depends.map((name) => sources.version(name)),
      ].join(" "),
    select: `SELECT ${keys[query.sort]} AS key, p.id AS ref
      FROM (SELECT * FROM labels.pairs WHERE id > :from AND id <= :to LIMIT -1 OFFSET 0) AS p
      CROSS JOIN labels.images AS a ON a.id = p.a_id CROSS JOIN labels.images AS b ON b.id = p.b_id
      ${query.sort === "bias" ? ownJoin : ""} ${compared ? scoreJoins : ""} WHERE ${conditions.join(" AND ")}`,
    values,
    first: 0,
    nextSlice(from, rows) {
      const after = "SELECT id FROM labels.pairs WHERE id > ? ORDER BY id";
      const full = sources.prepare(`${after} LIMIT 1 OFFSET ?`).get(from, rows - 1);
      const last = full ?? sources.prepare(`${after} DESC LIMIT 1`).get(from);
      return (last?.id as number | undefined) ?? null;
    },
    descending: query.descending,
  };
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
