import type { TeacherComparison } from "../../protocol/reliability.ts";
import type { LabelStore } from "../labels/labels.ts";
import { usable } from "../labels/rules.ts";
import { plcc, srcc } from "../metrics/agreement.ts";
import { ratingWords } from "../teachers/judgement.ts";
import { cohenKappa } from "./metrics.ts";

const both = (table: "points" | "pairs") =>
  `FROM ${table} x JOIN ${table} y ON ${table === "points" ? "y.image_id = x.image_id" : "y.a_id = x.a_id AND y.b_id = x.b_id"}
   AND y.teacher_id = (SELECT id FROM teachers WHERE fingerprint = :b) AND ${usable(table, "y")}
   WHERE x.teacher_id = (SELECT id FROM teachers WHERE fingerprint = :a) AND ${usable(table, "x")}`;

/** The place of the top word, 0..4; of equal ones the better word. */
const top = (row: string) => {
  const largest = `max(${ratingWords.map((word) => `${row}.${word}`).join(", ")})`;
  return `CASE ${largest} ${ratingWords.map((word, i) => `WHEN ${row}.${word} THEN ${i}`).join(" ")} END`;
};

/** Two teachers' own labels (never a person's in their place) of the images and pairs that both judged; null where there are none. */
export function compareTeachers(store: LabelStore, a: string, b: string): TeacherComparison {
  return { points: comparePoints(store, a, b), pairs: comparePairs(store, a, b) };
}

function comparePoints({ db }: LabelStore, a: string, b: string): TeacherComparison["points"] {
  const [scoresA, scoresB]: [number[], number[]] = [[], []];
  const words = ratingWords.map(() => ratingWords.map(() => 0));
  const rows = db
    .prepare(
      `SELECT x.score AS a, y.score AS b, ${top("x")} AS wordA, ${top("y")} AS wordB ${both("points")}`,
    )
    .iterate({ a, b });
  let worded = 0;
  for (const row of rows) {
    scoresA.push(Number(row.a));
    scoresB.push(Number(row.b));
    if (row.wordA === null || row.wordB === null) continue;
    worded++;
    words[Number(row.wordA)]![Number(row.wordB)]!++;
  }
  const n = scoresA.length;
  if (n === 0) return null;
  const [x, y] = [Float64Array.from(scoresA), Float64Array.from(scoresB)];
  let difference = 0;
  for (let i = 0; i < n; i++) difference += (x[i]! - y[i]!) / n;
  return {
    n,
    srcc: srcc(x, y),
    plcc: plcc(x, y),
    meanDifference: difference,
    sameWord: worded === 0 ? 0 : words.reduce((sum, row, i) => sum + row[i]!, 0) / worded,
    kappa: cohenKappa(words),
    kappaQuadratic: cohenKappa(words, "quadratic"),
  };
}

function comparePairs({ db }: LabelStore, a: string, b: string): TeacherComparison["pairs"] {
  const [pA, pB]: [number[], number[]] = [[], []];
  // First, tied, second.
  const winners = [0, 1, 2].map(() => [0, 0, 0]);
  const winnerOf = (p: number) => (p > 0.5 ? 0 : p < 0.5 ? 2 : 1);
  for (const row of db.prepare(`SELECT x.p AS a, y.p AS b ${both("pairs")}`).iterate({ a, b })) {
    const [one, other] = [Number(row.a), Number(row.b)];
    pA.push(one);
    pB.push(other);
    winners[winnerOf(one)]![winnerOf(other)]!++;
  }
  const n = pA.length;
  if (n === 0) return null;
  return {
    n,
    equal: winners.reduce((sum, row, i) => sum + row[i]!, 0) / n,
    kappa: cohenKappa(winners),
    plcc: plcc(Float64Array.from(pA), Float64Array.from(pB)),
  };
}
