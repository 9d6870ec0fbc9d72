import type { Text } from "../../protocol/text.ts";
import { inEnglish, say } from "../../words/text.ts";
import { throwIfCancelled } from "../base/errors.ts";
import { mainMos } from "../mos/complete.ts";
import { factsOf } from "../mos/formats.ts";
import { collectRatings } from "../mos/ratings.ts";
import { type MosShape, opinionColumns, shapeOf } from "../mos/shape.ts";
import { quotedCell } from "../tables/cellText.ts";
import { parseNumber } from "../tables/number.ts";
import { type ImageRow, readImageTable } from "./imageTable.ts";
import type { ImageIndex } from "./index/query.ts";
import type { NameIndex } from "./match.ts";
import type { MosProblemKind, MosSource } from "./mosSource.ts";
import {
  fromLists,
  fromRatings,
  type OpinionReader,
  opinionReader,
  type RawOpinions,
  scoreInRange,
  timeColumn,
} from "./opinions.ts";

export type { MosProblemKind, MosSource };

export interface MosProblem {
  kind: MosProblemKind;
  /** 1-based: the line of a text, the row of a sheet, else the place among the rows. */
  line: number;
  message: string;
}

export interface Mos {
  /** Scores as they stand in the file, on its range, or made of its ratings, by image hash. */
  scores: Map<string, number>;
  /** Standard deviations of the opinions on the scores' scale, by image hash; only of images with a score, where known. */
  stds: Map<string, number>;
  /** Numbers of the opinions, by image hash; only of images with a score, where known. */
  numbers: Map<string, number>;
  /** The single ratings by image hash, where the file holds such. */
  raw?: Pick<RawOpinions, "ratings" | "how" | "retests">;
  /** How the file's columns are read. */
  shape: MosShape;
  /** The values of the columns asked for, by image hash; also of images whose score is unusable. */
  columns: Map<string, Record<string, string>>;
  /** The first 100 in order of line; equal duplicates are only counted. */
  problems: MosProblem[];
  /** The first of them as data. */
  firstProblem?: Text;
  counts: Record<MosProblemKind, number>;
  /** Rows of data in the file. */
  rows: number;
  /** Images of the dataset that have no score: normal where few are labelled. */
  unscored: number;
}

type OneSource = MosSource & { score: string };

const maxProblems = 100;
/** Fewer images with several different scores are slips, where nothing says who rated. */
const leastRepeated = 2;

/**
 * Reads the human scores, or makes them of single ratings and votes. Bad rows are reported and left out. Several rows of an image are ratings
 * where a column says who rated, or where most images have several; else the first of two different scores is used. Throws a
 * LeafError `config` for a missing file or column, `input` for a damaged file.
 */
export async function readMos(
  given: MosSource,
  index: NameIndex & Pick<ImageIndex, "count">,
  options: {
    columns?: readonly string[];
    /** Those of `columns` that may be missing. */
    optional?: readonly string[];
    signal?: AbortSignal;
    /** Every problem, also those beyond the first hundred. */
    onProblem?: (problem: MosProblem) => void;
  } = {},
): Promise<Mos> {
  const source = mainMos(given);
  const wanted = [...new Set(options.columns ?? [])];
  const columns = new Map<string, Record<string, string>>();
  const report = problemList(options.onProblem);
  const facts = factsOf(source.format)?.scores[source.score];
  const { std = facts?.std, count = facts?.count } = source;
  const beside = [std, count].filter((name) => name !== undefined);
  let rows = 0;
  let shape: MosShape | undefined;
  let reader: OpinionReader | undefined;
  const plain = scoresReader(source, { std, count }, report.add);
  await readImageTable({
    file: source.file,
    format: source.format,
    image: source.image,
    columns: (own) => {
      shape = shapeOf(own, source);
      const times = shape.kind === "rows" && own.includes(timeColumn) ? [timeColumn] : [];
      return [...new Set([...opinionColumns(shape), ...times, ...beside, ...wanted])];
    },
    // What the layout tells of is not there in every file; what the config names is.
    optional: [
      ...(options.optional ?? []),
      ...(std === facts?.std && std !== undefined ? [std] : []),
      ...(count === facts?.count && count !== undefined ? [count] : []),
    ],
    index,
    signal: options.signal,
    onProblem(kind, line, message) {
      rows += 1;
      report.add(kind, line, message);
    },
    onRow(row) {
      rows += 1;
      const { hash, values } = row;
      if (wanted.length > 0 && !columns.has(hash))
        columns.set(hash, Object.fromEntries(wanted.map((column) => [column, values[column] ?? ""])));
      if (shape!.kind === "scores" || (shape!.kind === "rows" && !shape!.told))
        return plain.row(row, shape!.kind === "rows" ? shape!.rater : undefined);
      reader ??= opinionReader(shape!, source, report.add);
      reader.row(row);
    },
  });
  throwIfCancelled(options.signal);
  const raw = reader ? reader.finish() : plain.finish();
  const { scores, stds, numbers } = raw ? mapsOf(raw) : plain;
  report.sort();
  return {
    scores,
    stds,
    numbers,
    ...(raw
      ? { raw: { ratings: raw.ratings, how: raw.how, ...(raw.retests && { retests: raw.retests }) } }
      : {}),
    shape: shape!,
    columns,
    ...report.result,
    rows,
    unscored: index.count() - scores.size,
  };
}

function mapsOf({ opinions }: RawOpinions): Pick<Mos, "scores" | "stds" | "numbers"> {
  const scores = new Map<string, number>();
  const stds = new Map<string, number>();
  const numbers = new Map<string, number>();
  for (const [hash, { mos, std, n }] of opinions) {
    scores.set(hash, mos);
    if (std !== undefined) stds.set(hash, std);
    if (n > 0) numbers.set(hash, n);
  }
  return { scores, stds, numbers };
}

/** Reads one score a row. Rows that come again for an image are kept: they may turn out to be ratings. */
function scoresReader(
  source: OneSource,
  { std, count }: { std?: string; count?: string },
  report: (kind: MosProblemKind, line: number, message?: Text) => void,
) {
  const scores = new Map<string, number>();
  const stds = new Map<string, number>();
  const numbers = new Map<string, number>();
  const lists = new Map<string, number[]>();
  /** Who gave the first score of an image and when, where columns say it. */
  const firsts = new Map<string, { rater: string; time?: string }>();
  const again = new Map<
    string,
    { line: number; name: string; score: number; rater: string; time?: string }[]
  >();
  let isRated = false;
  return {
    scores,
    stds,
    numbers,
    row(row: ImageRow<string>, raterColumn: string | undefined): void {
      const { line, name, hash, values, decimalComma } = row;
      const score = scoreInRange(values[source.score] ?? "", row, source.range, report);
      if (score === undefined) return;
      if (typeof score !== "number") {
        if (!lists.has(hash)) lists.set(hash, score);
        else
          report(
            "conflict",
            line,
            say`${quotedCell(name)} has a list of scores already; others are not used.`,
          );
        return;
      }
      const rater = raterColumn === undefined ? "" : (values[raterColumn] ?? "");
      const time = values[timeColumn];
      isRated ||= raterColumn !== undefined;
      if (scores.has(hash)) {
        const list = again.get(hash) ?? [];
        list.push({ line, name, score, rater, time });
        again.set(hash, list);
        return;
      }
      scores.set(hash, score);
      if (rater !== "") firsts.set(hash, { rater, time });
      const numberOf = (column: string | undefined) =>
        column === undefined ? undefined : parseNumber(values[column] ?? "", decimalComma);
      const [deviation, number] = [numberOf(std), numberOf(count)];
      if (deviation !== undefined && deviation >= 0) stds.set(hash, deviation);
      if (number !== undefined && number > 0) numbers.set(hash, number);
    },
    finish(): RawOpinions | undefined {
      if (lists.size > 0) return fromLists(lists, source);
      const differing = [...again].filter(([hash, list]) =>
        list.some(({ score }) => score !== scores.get(hash)),
      );
      const areRatings = isRated
        ? again.size > 0
        : differing.length >= leastRepeated && 2 * again.size >= scores.size;
      if (areRatings) {
        const ratings = collectRatings();
        for (const [hash, score] of scores) {
          const { rater = "", time } = firsts.get(hash) ?? {};
          ratings.add(hash, score, rater, time);
          for (const one of again.get(hash) ?? []) ratings.add(hash, one.score, one.rater, one.time);
        }
        return fromRatings(ratings, isRated ? "rows" : "anonymous", source);
      }
      for (const [hash, list] of again) {
        const before = scores.get(hash)!;
        for (const { line, name, score } of list)
          if (score === before) report("duplicate", line);
          else
            report(
              "conflict",
              line,
              say`${quotedCell(name)} has the score ${before} already; ${score} is not used.`,
            );
      }
      return undefined;
    },
  };
}

function problemList(onProblem?: (problem: MosProblem) => void) {
  const counts: Record<MosProblemKind, number> = {
    noName: 0,
    noImage: 0,
    ambiguous: 0,
    unreadable: 0,
    malformed: 0,
    notANumber: 0,
    outOfRange: 0,
    duplicate: 0,
    conflict: 0,
  };
  const problems: MosProblem[] = [];
  const result: Pick<Mos, "counts" | "problems" | "firstProblem"> = { counts, problems };
  let firstLine = 0;
  const sort = () => {
    problems.sort((a, b) => a.line - b.line);
    problems.length = Math.min(problems.length, maxProblems);
  };
  return {
    result,
    /** Without a message it is only counted. */
    add(kind: MosProblemKind, line: number, words?: Text) {
      counts[kind] += 1;
      if (words === undefined) return;
      const message = inEnglish(words);
      if (result.firstProblem === undefined || line < firstLine)
        [result.firstProblem, firstLine] = [words, line];
      onProblem?.({ kind, line, message });
      // What is found at the end may belong before others.
      if (problems.length >= 2 * maxProblems) sort();
      problems.push({ kind, line, message });
    },
    sort,
  };
}
