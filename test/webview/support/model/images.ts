import type { ImageQuery, ImageRow, Page, PointView } from "../../../../src/protocol/images.ts";
import { clamp, round, seeded } from "./random.ts";

export const folder = "file:///workspace/shop";

const motifs = [
  "astronaut",
  "bridge",
  "china",
  "coffee",
  "flower",
  "nuthatch",
  "paints",
  "picos",
  "rocket",
  "stream",
];
const flaws = ["blur", "noise", "jpeg", "dark"];

/** Rows as the server would give them. The quality that nobody knows drives score, teacher and MOS alike. */
export function makeImages(amount: number, seed: number, scored: boolean): ImageRow[] {
  const random = seeded(seed);
  const rows = Array.from({ length: amount }, (_, at): ImageRow => {
    const motif = motifs[random.below(motifs.length)]!;
    const flaw = flaws[random.below(flaws.length)]!;
    const quality = clamp(3.1 + 0.95 * random.normal(), 1.05, 4.95);
    const score = round(clamp(3 + (quality - 3) * 0.9 + 0.28 * random.normal(), 1, 5));
    const teacher = pointOf(clamp(3 + (quality - 3) * 0.7 + 0.4 * random.normal(), 1.1, 4.9));
    const split = at % 5 === 0 ? "test" : at % 10 === 1 ? "val" : "train";
    const rated = split !== "train" || at % 4 === 0;
    // A first few that the student gets quite wrong.
    const odd = at % 97 === 5 ? 1.6 : 0;
    const mos = rated ? round(clamp(quality + 0.2 * random.normal() + odd, 1, 5), 2) : null;
    const path = `photos/${motif}-${flaw}-${String(at).padStart(5, "0")}.${at % 50 === 7 ? "tif" : "jpg"}`;
    return {
      hash: hashOf(at),
      path,
      uri: uriOf(path),
      width: at % 7 === 0 ? 640 : 960,
      height: at % 7 === 0 ? 960 : 640,
      format: at % 50 === 7 ? "TIFF" : "JPEG",
      size: 180_000 + random.below(900_000),
      split,
      score: scored ? score : null,
      rank: null,
      teacher,
      far: scored && at % 31 === 3,
      mos,
      // Half of the images were rated by several people.
      ...(mos !== null && at % 2 === 0 ? { mosStd: round(0.4 + 0.1 * (at % 7), 2) } : {}),
      disagreement: scored ? round(Math.abs(score - teacher.score)) : null,
      thumbnail: null,
      // A few pictures of which there are two or three versions.
      ...(at % 40 < 3 ? { twins: { number: 1 + Math.floor(at / 40), images: 3 } } : {}),
    };
  });
  return scored ? withRanks(rows) : rows;
}

export const uriOf = (path: string) => `${folder}/${path}`;

const hashOf = (at: number) => (at + 1).toString(16).padStart(8, "0").repeat(8);

function pointOf(score: number): PointView {
  const weights = [5, 4, 3, 2, 1].map((rating) => Math.exp(-((rating - score) ** 2) / 0.9));
  const sum = weights.reduce((a, b) => a + b);
  const probabilities = weights.map((weight) => round(weight / sum)) as PointView["probabilities"] & number[];
  const expected = probabilities.reduce((total, p, at) => total + p * (5 - at), 0);
  const entropy = probabilities.reduce((total, p) => total - (p > 0 ? p * Math.log(p) : 0), 0);
  return {
    score: round(expected),
    probabilities,
    confidence: round(1 - entropy / Math.log(5)),
    human: false,
  };
}

export function withRanks(rows: ImageRow[]): ImageRow[] {
  const sorted = rows.map(({ score }) => score!).sort((a, b) => a - b);
  const place = new Map(sorted.map((score, at) => [score, at / sorted.length]));
  return rows.map((row) => ({
    ...row,
    rank: { share: round(place.get(row.score!) ?? 0), of: sorted.length },
  }));
}

/** Filters, sorts and pages as `leaf/images` does. */
export function queryImages(rows: readonly ImageRow[], query: ImageQuery): Page<ImageRow> {
  const { text, score, mos, split, far, sort, descending, around, limit } = query;
  const found = rows.filter(
    (row) =>
      (!text || row.path.includes(text)) &&
      (!score || (row.score !== null && row.score >= score[0] && row.score <= score[1])) &&
      (!mos || (mos === "rated") === (row.mos !== null)) &&
      (!far || row.far === true) &&
      (sort !== "similar" || row.twins !== undefined) &&
      (!split || row.split === split),
  );
  const key = (row: ImageRow): number | string | null =>
    sort === "path"
      ? row.path
      : sort === "teacher"
        ? (row.teacher?.score ?? null)
        : sort === "modified"
          ? row.size
          : sort === "similar"
            ? (row.twins?.number ?? null)
            : row[sort];
  found.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1);
  });
  const at = around ? found.findIndex(({ hash }) => hash === around) : -1;
  const offset = at < 0 ? query.offset : at - (at % limit);
  return { rows: found.slice(offset, offset + limit), total: found.length, ...(at < 0 ? {} : { offset }) };
}
