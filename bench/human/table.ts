import path from "node:path";
import { seededRandom } from "../../src/engine/base/random.ts";
import { plcc, srcc } from "../../src/engine/metrics/agreement.ts";
import {
  type Interval,
  percentiles,
  weightedCorrelation,
  weightedRanks,
} from "../../src/engine/metrics/bootstrap.ts";
import { centred } from "../../src/engine/metrics/correlation.ts";
import { openTable } from "../../src/engine/tables/table.ts";
import { markdownTable } from "../../src/words/escape.ts";
import { figure, interval } from "../../src/words/figure.ts";
import { arms } from "./arms.ts";
import type { DoneCell } from "./cells.ts";

interface ImageRow {
  image: string;
  group: string;
  source: string;
}

/** One row of the table. */
export interface Figures {
  arm: string;
  count: number | null;
  /** Ratings that were used, the most of any draw. */
  ratings: number;
  draws: number;
  splits: number;
  images: number;
  srcc: Summary;
  plcc: Summary;
  /** Mean over sources of SRCC within each; null where there is one source. */
  within: Summary | null;
  /** Median seconds of a calibration. */
  seconds: number | null;
}

interface Summary {
  mean: number;
  /** Of the sample of draws; null for one. */
  sd: number | null;
  /** 95 % percentile interval: draws and groups are both drawn with replacement. */
  ci95: Interval;
}

interface Drawn {
  split: number;
  groups: number[];
  sources: string[];
  score: Float64Array;
  mos: Float64Array;
}

const replicates = 1000;

/** The figures of all cells so far, and the table that people read. */
export async function humanTable(
  out: string,
  cells: readonly DoneCell[],
  rows: readonly ImageRow[],
  absent: ReadonlyMap<string, string>,
): Promise<{ figures: Figures[]; text: string }> {
  const of = new Map(rows.map((row) => [path.parse(row.image).name, row]));
  const groups = new Map<string, number>();
  for (const [name, { group }] of of) {
    const id = group === "" ? `image ${name}` : `group ${group}`;
    if (!groups.has(id)) groups.set(id, groups.size);
  }
  const groupOf = (name: string) => {
    const group = of.get(name)?.group;
    return groups.get(group ? `group ${group}` : `image ${name}`)!;
  };
  const byRow = Map.groupBy(cells, ({ arm, count }) => `${arm} ${count}`);
  const figures: Figures[] = [];
  for (const own of byRow.values()) {
    const drawn: Drawn[] = [];
    for (const cell of own) {
      const { names, score, mos } = await readPredictions(path.join(out, cell.predictions));
      drawn.push({
        split: cell.split,
        groups: names.map(groupOf),
        sources: names.map((name) => of.get(name)?.source ?? ""),
        score,
        mos,
      });
    }
    figures.push(figuresOf(own, drawn, groups.size));
  }
  const place = ({ arm, count }: Figures) =>
    arms.findIndex(({ id }) => id === arm) * 1e9 + (count ?? Number.MAX_SAFE_INTEGER / 1e9);
  figures.sort((a, b) => place(a) - place(b));
  return { figures, text: markdown(figures, absent, groups.size, of.size) };
}

function figuresOf(cells: readonly DoneCell[], drawn: readonly Drawn[], groups: number): Figures {
  const { arm, count } = cells[0]!;
  const seconds = cells
    .flatMap((cell) => (cell.seconds === null ? [] : [cell.seconds]))
    .sort((a, b) => a - b);
  const several = new Set(drawn.flatMap(({ sources }) => sources)).size > 1;
  return {
    arm,
    count,
    ratings: Math.max(...cells.map(({ ratings }) => ratings)),
    draws: cells.length,
    splits: new Set(cells.map(({ split }) => split)).size,
    images: Math.max(...drawn.map(({ score }) => score.length)),
    srcc: summary(drawn, groups, ranked),
    plcc: summary(drawn, groups, linear),
    within: several ? summary(drawn, groups, withinSources) : null,
    seconds: seconds[Math.floor(seconds.length / 2)] ?? null,
  };
}

type Measure = (one: Drawn) => (weights: Uint32Array | null) => number;

const ranked: Measure = ({ score, mos }) => {
  const [x, y] = [weightedRanks(score), weightedRanks(mos)];
  return (weights) =>
    (weights ? weightedCorrelation(x(weights), y(weights), weights) : srcc(score, mos)) ?? Number.NaN;
};

const linear: Measure = ({ score, mos }) => {
  const [x, y] = [centred(score), centred(mos)];
  return (weights) => (weights ? weightedCorrelation(x, y, weights) : plcc(score, mos)) ?? Number.NaN;
};

const withinSources: Measure = (one) => {
  const parts = [...new Set(one.sources)].map((source) => {
    const at = one.sources.flatMap((other, i) => (other === source ? [i] : []));
    const take = (values: Float64Array) => Float64Array.from(at, (i) => values[i]!);
    return { at, of: ranked({ ...one, score: take(one.score), mos: take(one.mos) }) };
  });
  return (weights) => {
    const found = parts.map(({ at, of }) => of(weights && Uint32Array.from(at, (i) => weights[i]!)));
    return found.reduce((sum, value) => sum + value, 0) / found.length;
  };
};

/** One draw of groups serves all splits, so that images which are in two test sets count in both alike. */
function summary(drawn: readonly Drawn[], groups: number, measure: Measure): Summary {
  const measures = drawn.map(measure);
  const values = measures.map((of) => of(null));
  const random = seededRandom("human", 0);
  const means: number[] = [];
  const times = new Uint32Array(groups);
  for (let replicate = 0; replicate < replicates; replicate++) {
    times.fill(0);
    for (let i = 0; i < groups; i++) times[Math.floor(random() * groups)]!++;
    const known = new Map<number, number>();
    let sum = 0;
    for (let i = 0; i < drawn.length; i++) {
      const d = Math.floor(random() * drawn.length);
      if (!known.has(d)) known.set(d, measures[d]!(Uint32Array.from(drawn[d]!.groups, (g) => times[g]!)));
      sum += known.get(d)!;
    }
    if (Number.isFinite(sum)) means.push(sum / drawn.length);
  }
  const mean = average(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, sd: values.length > 1 ? Math.sqrt(variance) : null, ci95: percentiles(means) };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function markdown(
  figures: readonly Figures[],
  absent: ReadonlyMap<string, string>,
  groups: number,
  images: number,
): string {
  const several = figures.some(({ within }) => within !== null);
  const cell = ({ mean, sd, ci95 }: Summary) =>
    `${figure(mean)}${sd === null ? "" : ` ± ${figure(sd)}`} ${interval(ci95, 2)}`;
  const header = ["arm", "ratings", "draws", "SRCC [95 %]", "PLCC [95 %]"];
  if (several) header.push("SRCC within sources");
  header.push("calibrates in");
  const lines = figures.map((row) => [
    arms.find(({ id }) => id === row.arm)?.name ?? row.arm,
    String(row.ratings),
    String(row.draws),
    cell(row.srcc),
    cell(row.plcc),
    ...(several ? [row.within ? cell(row.within) : ""] : []),
    row.seconds === null ? "" : `${figure(row.seconds, row.seconds < 10 ? 1 : 0)} s`,
  ]);
  const table = markdownTable(
    header,
    lines,
    header.map((_, i) => (i === 0 ? "---" : "---:")),
  );
  const held = [...new Set(figures.map((row) => row.images))].sort((a, b) => a - b).join(" to ");
  const notes = [
    `${images} images in ${groups} groups; ${held} of them held out. Mean ± standard deviation over draws of the ratings; intervals over draws and groups, both drawn with replacement.`,
    ...[...absent].map(([arm, why]) => `Not measured: ${arm}: ${why}`),
  ];
  return `${[table, ...notes].join("\n\n")}\n`;
}

async function readPredictions(
  file: string,
): Promise<{ names: string[]; score: Float64Array; mos: Float64Array }> {
  const table = await openTable(file);
  const at = ["image", "score", "mos"].map((name) => table.columns.indexOf(name));
  const names: string[] = [];
  const [score, mos]: [number[], number[]] = [[], []];
  for await (const batch of table.batches(at))
    for (const { cells } of batch) {
      const [image, s, m] = cells as [string, string, string];
      names.push(path.parse(image).name);
      score.push(Number(s));
      mos.push(Number(m));
    }
  return { names, score: Float64Array.from(score), mos: Float64Array.from(mos) };
}
