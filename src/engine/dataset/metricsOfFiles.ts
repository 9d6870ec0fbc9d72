import { existsSync } from "node:fs";
import path from "node:path";
import type { Breakdown, HumanCeiling, Metrics } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { evaluateMetrics } from "../metrics/agreement.ts";
import { breakdownOf } from "../metrics/breakdown.ts";
import { humanCeiling } from "../metrics/ceiling.ts";
import { type ComparedFigures, compareScores } from "../metrics/compareScores.ts";
import { groupsOf } from "../metrics/groups.ts";
import { completeMos } from "../mos/complete.ts";
import { columnsOf, detectFormat } from "../mos/detect.ts";
import { factsOf, type MosFormatName } from "../mos/formats.ts";
import { guessTable } from "../mos/guess.ts";
import { plainCell } from "../tables/formulaCells.ts";
import { openTable } from "../tables/table.ts";
import { readImageTable } from "./imageTable.ts";
import type { IndexedImage } from "./index/file.ts";
import { foldedNames } from "./index/names.ts";
import type { NameIndex } from "./match.ts";
import { nameOf } from "./nameReadings.ts";
import { type Mos, type MosSource, readMos } from "./readMos.ts";

/** What of a file is not told by its columns. */
export interface ScoresOptions {
  format?: MosFormatName | "columns";
  image?: string;
  score?: string;
  range?: [lowest: number, highest: number];
  lowerIsBetter?: boolean;
}

/** Images that are drawn together for the intervals: a column of one of the tables, or a function of their names. */
export type GroupBy = { column: string } | ((names: string[]) => (string | undefined)[]);

export interface MetricsOfFilesOptions {
  bootstrap: number;
  groupBy?: GroupBy;
  predictions?: ScoresOptions;
  truth?: ScoresOptions;
  /** Other predictions, read as the first are, that these are compared with on the images of all three files. */
  against?: string;
  /** Rows that are of no use, and what was understood. */
  onNote?: (note: Text) => void;
}

export interface MetricsOfFiles extends Metrics {
  /** Different images in each file. */
  images: { predictions: number; truth: number };
  /** Images of either file that the other does not have, or has no score for. */
  unmatched: number;
  ceiling?: HumanCeiling;
  /** By the fifths of the truth's range, and within groups. */
  breakdown: Breakdown;
  /** These predictions (a) and the other ones (b). */
  against?: ComparedFigures;
}

/** Columns that hold what was asked for, in order of preference, before those that any scores have. */
const preferred = { predictions: ["score", "prediction", "pred", "predicted"], truth: ["mos"] };

/**
 * The metrics of any two tables of scores, both read as `mos.file` is: images are matched by the same rules, and single ratings make a MOS.
 * Images in both files count. Throws LeafError `input` where a file or every common image is missing, `config` for a column.
 */
export async function metricsOfFiles(
  predictions: string,
  truth: string,
  { bootstrap, groupBy, onNote, against, ...options }: MetricsOfFilesOptions,
): Promise<MetricsOfFiles> {
  const sources = {
    predictions: await sourceOf(predictions, "predictions", options.predictions),
    truth: await sourceOf(truth, "truth", options.truth),
  };
  const names = await namesIn(sources.predictions);
  const index = indexOfNames(names);
  const read = async (source: MosSource): Promise<Mos> => {
    const mos = await readMos(source, index);
    const { noImage, duplicate: _, ...counts } = mos.counts;
    const problems = mos.problems.filter(({ kind }) => kind !== "noImage");
    const bad = Object.values(counts).reduce((sum, n) => sum + n, 0);
    if (problems[0])
      onNote?.(
        say`${bad} rows of ${path.basename(source.file)} cannot be used. First: line ${problems[0].line}: ${problems[0].message}`,
      );
    return mos;
  };
  const predicted = await read(sources.predictions);
  const human = await read(sources.truth);
  const other =
    against === undefined
      ? undefined
      : await read(await sourceOf(against, "predictions", options.predictions));
  const common = [...predicted.scores.keys()]
    .filter((hash) => human.scores.has(hash) && (other?.scores.has(hash) ?? true))
    .sort();
  const truthNames = (await namesIn(sources.truth)).size;
  if (common.length === 0) {
    throw new LeafError("input", say`${predictions} and ${truth} have no image in common.`, {
      remedy: say`Both need a column with the names of the same images; --image names it.`,
    });
  }
  const turned =
    (sources.predictions.lowerIsBetter ?? sources.truth.lowerIsBetter ?? false) !==
    (sources.truth.lowerIsBetter ?? false);
  const scoresOf = ({ scores }: Mos) => {
    const own = Float64Array.from(common, (hash) => scores.get(hash)!);
    return turned ? mirrored(own, options.predictions?.range) : own;
  };
  const scores = scoresOf(predicted);
  const truthOf = Float64Array.from(common, (hash) => human.scores.get(hash)!);
  const groups = groupBy && (await groupNames(common, groupBy, [sources.truth, sources.predictions], index));
  const set = { truth: truthOf, groups: groups && groupsOf(groups) };
  const metrics = evaluateMetrics(scores, truthOf, { bootstrap, seed: 0, groups: set.groups });
  const ceiling = human.raw && humanCeiling(human.raw.ratings, common);
  const rows = common.map((_, i) => ({ score: scores[i]!, mos: truthOf[i]!, group: groups?.[i] ?? "" }));
  return {
    ...metrics,
    images: { predictions: names.size, truth: truthNames },
    unmatched: names.size + truthNames - 2 * common.length,
    ...(ceiling ? { ceiling } : {}),
    breakdown: breakdownOf(rows, { ...sources.truth, range: knownRange(sources.truth.range, truthOf) }),
    ...(other && {
      against: await compareScores({ ...set, pairs: [{ a: scores, b: scoresOf(other) }] }, { bootstrap }),
    }),
  };
}

/** Where the range is not known, the scores that occur are its ends. */
function knownRange([low, high]: readonly [number, number], scores: Float64Array): [number, number] {
  if (high - low < Number.MAX_VALUE) return [low, high];
  return [scores.reduce((a, b) => Math.min(a, b)), scores.reduce((a, b) => Math.max(a, b))];
}

/** The group of each image, by a column of the first file that has it. */
async function groupNames(
  images: string[],
  groupBy: GroupBy,
  sources: MosSource[],
  index: NameIndex,
): Promise<(string | undefined)[]> {
  if (typeof groupBy === "function") return groupBy(images);
  const { column } = groupBy;
  for (const { file, format, image } of sources) {
    const { columns } = await openTable(file, { prefer: (own) => own.includes(column) });
    if (!columns.includes(column)) continue;
    const groups = new Map<string, string>();
    await readImageTable({
      file,
      format,
      image,
      columns: [column],
      index,
      onRow: ({ hash, values }) => groups.set(hash, plainCell(values[column]!)),
      onProblem: () => {},
    });
    return images.map((name) => groups.get(name));
  }
  const [first, second] = sources.map(({ file }) => file) as [string, string];
  throw new LeafError("input", say`Neither ${first} nor ${second} has a column ${column}.`);
}

/** How a file is read: as it is asked for, else by its layout, else by its columns. */
async function sourceOf(
  file: string,
  role: "predictions" | "truth",
  given: ScoresOptions = {},
): Promise<MosSource> {
  if (!existsSync(file))
    throw new LeafError("input", say`${file} does not exist.`, { file, remedy: say`Check the path.` });
  // Its own error where it cannot be read.
  const { columns: own, headerLine } = await openTable(file, {
    prefer: (columns) => columns.includes(given.image ?? "image"),
  });
  const format = given.format ?? (await detectFormat(file));
  const columns = [...new Set([...own, ...(await columnsOf(file, format))])];
  const guessed = factsOf(format) ? { format } : await guessTable(file, columns, preferred[role]);
  const {
    anonymous: _,
    range: guessedRange,
    ...keys
  } = { anonymous: undefined, range: undefined, ...guessed };
  const named = { ...keys, ...given };
  if (!factsOf(format) && (!named.image || !(named.score || "raters" in named || "votes" in named))) {
    const want = named.image ? preferred[role].map((one) => `\`${one}\``).join(" or ") : "`image`";
    throw new LeafError(
      "input",
      say`${path.basename(file)}:${headerLine}: no column ${want}; there are ${own.join(", ")}.`,
      { file, line: headerLine, remedy: say`Name the columns with --image and --score.` },
    );
  }
  const { lowerIsBetter, ...mos } = completeMos({ ...named, file, format: format ?? "columns" });
  const known = given.lowerIsBetter ?? (factsOf(format) ? lowerIsBetter : undefined);
  return {
    ...mos,
    // Any number is a score, where no grades are counted.
    range: given.range ?? (mos.votes ? (guessedRange ?? mos.range) : [-Number.MAX_VALUE, Number.MAX_VALUE]),
    ...(known === undefined ? {} : { lowerIsBetter: known }),
  };
}

/** The different names of a file's images. */
async function namesIn({ file, format, image }: MosSource): Promise<Set<string>> {
  const derived = factsOf(format)?.derived?.[image];
  const from = derived?.from ?? [image];
  const table = await openTable(file, { prefer: (columns) => from.every((name) => columns.includes(name)) });
  const names = new Set<string>();
  for await (const batch of table.batches(from.map((name) => table.columns.indexOf(name))))
    for (const { cells, fault } of batch) {
      const name = derived ? derived.value((column) => cells[from.indexOf(column)] ?? "") : (cells[0] ?? "");
      if (fault === undefined && name !== "") names.add(nameOf(plainCell(name)));
    }
  return names;
}

/** An index of names alone: each is an image of its own. */
function indexOfNames(names: ReadonlySet<string>): NameIndex & { count(): number } {
  const files = [...names].sort().map(
    (path): IndexedImage => ({
      path,
      hash: path,
      size: 0,
      mtimeMs: 0,
      format: "",
      width: 0,
      height: 0,
      error: null,
      note: null,
    }),
  );
  const byPath = new Map(files.map((file) => [file.path, file]));
  const byName = Map.groupBy(files, (file) => foldedNames(file.path).name);
  const byStem = Map.groupBy(files, (file) => foldedNames(file.path).stem);
  return {
    byPath: (path) => byPath.get(path),
    named: (name) => byName.get(foldedNames(name).name) ?? [],
    withStem: (name) => byStem.get(foldedNames(name).stem) ?? [],
    iterate: () => files.values(),
    count: () => files.length,
  };
}

/** The same scores with the other end best: on their range, else between the ends that occur. */
function mirrored(scores: Float64Array, range?: readonly [number, number]): Float64Array {
  const [low, high] = range ?? [
    scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
  return scores.map((score) => low + high - score);
}
