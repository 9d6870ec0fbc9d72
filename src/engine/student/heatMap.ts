import * as z from "zod";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { RgbImage } from "../images/decode.ts";
import { prepare, type Rectangle, viewPlaces, views } from "../images/views.ts";
import { reportedScore } from "./scale.ts";
import { noNumber, type Student } from "./student.ts";

/** Where the student looked once, and the local scores there, row by row from the top left. */
export interface HeatView {
  /** In pixels of the upright image. */
  place: Rectangle;
  rows: number;
  columns: number;
  scores: number[];
}

/**
 * What a score is made of: each view's local scores, on the scale that is reported (MOS once calibrated, else 1..5). The mean over
 * all of them is the score, exactly (class-activation mapping of a head that pools: see heatmap.py). A position of the last feature
 * map sees more of the image than its cell. Outside the views the student did not look.
 */
export interface HeatMap {
  score: number;
  scale: [number, number];
  lowerIsBetter: boolean;
  /** Of the upright image, in pixels. */
  width: number;
  height: number;
  views: HeatView[];
  /** The largest |local score − score|: the ends of the colour scale. */
  reach: number;
}

/** The same as a document: the cache may be anybody's. */
export const heatMapSchema = z.object({
  score: z.number(),
  scale: z.tuple([z.number(), z.number()]),
  lowerIsBetter: z.boolean(),
  width: z.int().min(1),
  height: z.int().min(1),
  views: z.array(
    z.object({
      place: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
      rows: z.int().min(1),
      columns: z.int().min(1),
      scores: z.array(z.number()),
    }),
  ),
  reach: z.number().min(0),
}) satisfies z.ZodType<HeatMap>;

/** `prepared`: the picture as the student sees it, where that is not what `prepare` makes of the image. Throws LeafError `input` from a student that was made before heat maps were. */
export async function heatMap(student: Student, image: RgbImage, prepared?: RgbImage): Promise<HeatMap> {
  const { card } = student;
  const { input } = card;
  const picture = prepared ?? (await prepare(image, input));
  const { scores, rows, columns, local } = await student.mapViews(views(picture, input));
  const perView = rows * columns;
  const score = reportedScore(card, scores.reduce((sum, one) => sum + one, 0) / scores.length);
  if (!Number.isFinite(score) || !local.every(Number.isFinite))
    throw new LeafError("failed", noNumber, { remedy: say`Run the stage that made the student again.` });
  const found = viewPlaces(image.width, image.height, input).map((place, i) => ({
    place,
    rows,
    columns,
    scores: Array.from(local.subarray(i * perView, (i + 1) * perView), (one) => reportedScore(card, one)),
  }));
  const reach = Math.max(...found.flatMap((view) => view.scores.map((one) => Math.abs(one - score))));
  return {
    score,
    scale: [...(card.mosScale?.range ?? ([1, 5] as const))] as [number, number],
    lowerIsBetter: card.mosScale?.lowerIsBetter ?? false,
    width: image.width,
    height: image.height,
    views: found,
    reach,
  };
}

/** Smaller differences than this share of the scale are not blown up to the ends of the colours. */
const leastReach = 0.01;

/** What the ends of the colours stand for, |local score − score|, on the reported scale. */
export function colourReach({ reach, scale }: HeatMap): number {
  return Math.max(reach, leastReach * Math.abs(scale[1] - scale[0]));
}

/** What the orange end, no colour (the score) and the blue end stand for, on the reported scale. */
export function colourLegend(map: HeatMap): [worse: number, score: number, better: number] {
  const reach = colourReach(map) * (map.lowerIsBetter ? -1 : 1);
  return [map.score - reach, map.score, map.score + reach];
}

/**
 * The local score at a point of the image: interpolated between the centres of a view's cells, averaged where views overlap;
 * undefined where the student did not look.
 */
export function localScore({ views: all }: HeatMap, x: number, y: number): number | undefined {
  let [sum, n] = [0, 0];
  for (const view of all) {
    const { place, rows, columns } = view;
    const [u, v] = [(x - place.x) / place.width, (y - place.y) / place.height];
    if (u < 0 || v < 0 || u > 1 || v > 1) continue;
    sum += between(view, v * rows - 0.5, u * columns - 0.5);
    n++;
  }
  return n === 0 ? undefined : sum / n;
}

function between({ rows, columns, scores }: HeatView, row: number, column: number): number {
  const [r, c] = [clamp(row, rows - 1), clamp(column, columns - 1)];
  const [r0, c0] = [Math.floor(r), Math.floor(c)];
  const [r1, c1] = [Math.min(r0 + 1, rows - 1), Math.min(c0 + 1, columns - 1)];
  const mix = (a: number, b: number, share: number) => a + (b - a) * share;
  const at = (i: number, j: number) => scores[i * columns + j]!;
  return mix(mix(at(r0, c0), at(r0, c1), c - c0), mix(at(r1, c0), at(r1, c1), c - c0), r - r0);
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
