import { existsSync } from "node:fs";
import path from "node:path";
import type { ImageRow, PointView, Rank, TargetView } from "../../protocol/images.ts";
import { fileUri } from "../base/fileUri.ts";
import { isId } from "../base/ids.ts";
import { isLinkedOut } from "../dataset/linkedOut.ts";
import { standing } from "../labels/counting.ts";
import { studentToMos } from "../mos/scale.ts";
import type { LiveContext, Scorer } from "../scoring/context.ts";
import { pictureFile } from "../scoring/pictureFiles.ts";
import { scorerOf } from "../scoring/scores.ts";
import { isFar } from "../student/outOfDistribution.ts";
import { reportedDeviation } from "../student/scale.ts";
import { ratingWords } from "../teachers/judgement.ts";
import { judges } from "./columns.ts";
import type { Sources } from "./sources.ts";

/** Joins the label of an image `f` that stands (`pl`), and what a teacher said in the score store. */
const pointJoins = `
  LEFT JOIN labels.images AS li ON li.hash = f.hash
  LEFT JOIN labels.points AS pl ON pl.image_id = li.id AND ${standing("points", "pl", judges, { schema: "labels" })}
  LEFT JOIN scores.scores AS st ON st.scorer = :teacher AND st.hash = f.hash AND st.excellent IS NOT NULL`;
const scoreJoin = "LEFT JOIN scores.scores AS s ON s.scorer = :scorer AND s.hash = f.hash";
const labelScore = "coalesce(pl.score, st.score)";
const personScore = `iif(pl.teacher_id = ${judges.person}, pl.score, NULL)`;

const selectRow = `
  SELECT f.path, f.hash, f.size, f.format, f.width, f.height, s.score AS score, s.distance AS distance, s.sd AS sd,
    ${personScore} AS personScore, ${labelScore} AS labelScore,
    ${["confidence", ...ratingWords].map((name) => `iif(pl.id IS NULL, st.${name}, pl.${name}) AS ${name}`).join(", ")}
  FROM dataset.files AS f ${scoreJoin} ${pointJoins}`;
const byPath = `${selectRow} WHERE f.path = :key AND f.error IS NULL AND f.hash IS NOT NULL`;
const byHash = `${selectRow} WHERE f.hash = :key AND f.error IS NULL ORDER BY f.path LIMIT 1`;

interface Stored {
  path: string;
  hash: string;
  size: number;
  format: string;
  width: number;
  height: number;
  score: number | null;
  distance: number | null;
  sd: number | null;
  personScore: number | null;
  labelScore: number | null;
  confidence: number | null;
  excellent: number | null;
  good: number | null;
  fair: number | null;
  poor: number | null;
  bad: number | null;
}

/** Reads one image with all that is known of it; undefined for a path or hash that is no usable image. */
export function readImageRow(
  sources: Sources,
  context: LiveContext,
  by: "path" | "hash",
  key: string,
  rankWithin: (score: number) => Rank | null,
): ImageRow | undefined {
  const { scorer, teacher, project, mos, mosStd, splitOf } = context;
  const found = sources.prepare(by === "path" ? byPath : byHash).get({
    scorer: scorer.fingerprint,
    teacher,
    key,
  }) as Stored | undefined;
  if (!found || !isId("hash", found.hash)) return undefined;
  const row = withNumbers(found);
  const point = pointOf(row);
  const reason = point && reasonOf(sources, row.hash, teacher);
  if (point && reason) point.reason = reason;
  const comparable = point && row.score !== null && (point.human || scorer.fingerprint !== teacher);
  return {
    hash: row.hash,
    path: row.path,
    uri: fileUri(path.join(project.root, row.path)),
    width: row.width,
    height: row.height,
    format: row.format,
    size: row.size,
    split: splitOf(row.hash),
    score: row.score === null ? null : shownScore(scorer, row.score),
    ...(row.score === null || row.sd === null || !scorer.card
      ? {}
      : { sd: reportedDeviation(scorer.card, row.sd) }),
    rank: row.score === null ? null : rankWithin(row.score),
    far: isFar(row.distance),
    ...targetsOf(sources, context, row.hash),
    teacher: point,
    mos: mos.get(row.hash) ?? null,
    ...(mosStd?.has(row.hash) ? { mosStd: mosStd.get(row.hash) } : {}),
    ...(isLinkedOut(project.root, row.path) ? { linkedOut: true } : {}),
    disagreement: comparable ? Math.abs(row.score! - point.score) : null,
    thumbnail: thumbnailOf(project.cache, row.hash),
  };
}

/** Caches may be anybody's: what is no number there is not known. */
function withNumbers(found: Stored): Stored {
  const row = { ...found };
  for (const name of ["score", "distance", "sd", "personScore", "labelScore", "confidence"] as const)
    if (!Number.isFinite(row[name])) row[name] = null;
  if (!ratingWords.every((word) => Number.isFinite(row[word]))) row.excellent = null;
  return row;
}

const scoreByHash = "SELECT score, sd FROM scores.scores WHERE scorer = ? AND hash = ?";

/** What the scorer and people said of the targets beside the main one: those that the config names, and the student has. */
function targetsOf(
  sources: Sources,
  { scorer, targets = [] }: LiveContext,
  hash: string,
): { targets?: TargetView[] } {
  const learnt = scorer.card?.targets?.slice(1) ?? [];
  const others = targets.filter(({ name }) => !learnt.some((one) => one.name === name));
  const all = [...learnt, ...others.map((one) => ({ name: one.name, mosScale: one }))];
  if (all.length === 0) return {};
  const find = sources.prepare(scoreByHash);
  return {
    targets: all.map(({ name, mosScale }) => {
      const { score, sd } = find.get(scorerOf(scorer.fingerprint, name), hash) ?? {};
      const known = typeof score === "number" && Number.isFinite(score);
      const rated = targets.find((one) => one.name === name);
      return {
        name,
        score: known ? studentToMos(score, mosScale) : null,
        ...(known && typeof sd === "number" && { sd: reportedDeviation({ mosScale }, sd) }),
        mos: rated?.mos.get(hash) ?? null,
        scale: [...mosScale.range],
        lowerIsBetter: mosScale.lowerIsBetter,
      };
    }),
  };
}

const reasonByHash = `
  SELECT r.text FROM labels.images AS i JOIN labels.reasons AS r ON r.image_id = i.id
  WHERE i.hash = ? AND r.teacher_id = (SELECT id FROM labels.teachers WHERE fingerprint = ?)`;

/** A store of an older LEAF has no reasons until it is written to. */
function reasonOf(sources: Sources, hash: string, teacher: string): string | undefined {
  const known = sources.prepare("SELECT 1 FROM labels.sqlite_schema WHERE name = 'reasons'").get();
  const text = known && sources.prepare(reasonByHash).get(hash, teacher)?.text;
  return typeof text === "string" ? text : undefined;
}

/** A person's score in the teacher's place. */
function pointOf(row: Stored): PointView | null {
  if (row.personScore !== null)
    return { score: row.personScore, probabilities: null, confidence: 1, human: true };
  if (row.labelScore === null) return null;
  const { excellent, good, fair, poor, bad } = row;
  return {
    score: row.labelScore,
    probabilities:
      excellent === null ? null : [excellent, Number(good), Number(fair), Number(poor), Number(bad)],
    confidence: row.confidence ?? 0,
    human: false,
  };
}

/** A score on 1..5 as it is shown: on the MOS scale once calibrated. */
export function shownScore({ card }: Scorer, score: number): number {
  return card?.mosScale ? studentToMos(score, card.mosScale) : score;
}

function thumbnailOf(cache: string, hash: string): string | null {
  const file = pictureFile(cache, hash, "small");
  return existsSync(file) ? fileUri(file) : null;
}
