import type { Text } from "../../protocol/text.ts";
import { inEnglish, say } from "../../words/text.ts";
import { throwIfCancelled } from "../base/errors.ts";
import { quotedCell } from "../tables/cellText.ts";
import { parseNumber } from "../tables/number.ts";
import { type RowProblemKind, readImageTable } from "./imageTable.ts";
import type { ImageIndex } from "./index/query.ts";

export interface MosSource {
  /** Path of a CSV, TSV, Excel, JSON, JSON Lines or Parquet file. */
  file: string;
  /** Layout of the file, as in the config. */
  format?: string;
  /** Column with the image's name. */
  image: string;
  /** Column with the mean opinion score. */
  score: string;
  /** Column with the standard deviation of the opinions. */
  std?: string;
  range: readonly [lowest: number, highest: number];
  lowerIsBetter?: boolean;
}

export type MosProblemKind = RowProblemKind | "notANumber" | "outOfRange" | "duplicate" | "conflict";

export interface MosProblem {
  kind: MosProblemKind;
  /** 1-based: the line of a text, the row of a sheet, else the place among the rows. */
  line: number;
  message: string;
}

export interface Mos {
  /** Scores as they stand in the file, on its range, by image hash. */
  scores: Map<string, number>;
  /** Standard deviations of the opinions on the scores' scale, by image hash; only of images with a score, where known. */
  stds: Map<string, number>;
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

const maxProblems = 100;

/**
 * Reads the human scores. Bad rows are reported and left out; of two different scores of one image the first is used.
 * Throws a LeafError `config` for a missing file or column, `input` for a damaged file.
 */
export async function readMos(
  source: MosSource,
  index: ImageIndex,
  options: {
    columns?: readonly string[];
    signal?: AbortSignal;
    /** Every problem, also those beyond the first hundred. */
    onProblem?: (problem: MosProblem) => void;
  } = {},
): Promise<Mos> {
  const wanted = [...new Set(options.columns ?? [])];
  const [lowest, highest] = source.range;
  const scores = new Map<string, number>();
  const stds = new Map<string, number>();
  const { std } = source;
  const columns = new Map<string, Record<string, string>>();
  const report = problemList(options.onProblem);
  let rows = 0;
  await readImageTable({
    file: source.file,
    format: source.format,
    image: source.image,
    columns: [...new Set([source.score, ...(std === undefined ? [] : [std]), ...wanted])],
    index,
    signal: options.signal,
    onProblem(kind, line, message) {
      rows += 1;
      report.add(kind, line, message);
    },
    onRow({ line, name, hash, values, decimalComma }) {
      rows += 1;
      if (wanted.length > 0 && !columns.has(hash))
        columns.set(hash, Object.fromEntries(wanted.map((column) => [column, values[column] ?? ""])));
      const text = values[source.score] ?? "";
      const score = parseNumber(text, decimalComma);
      if (score === undefined) {
        report.add(
          "notANumber",
          line,
          text === ""
            ? say`${quotedCell(name)} has no score.`
            : say`The score ${quotedCell(text)} is not a number.`,
        );
        return;
      }
      if (score < lowest || score > highest) {
        report.add("outOfRange", line, say`The score ${text} is outside the range ${lowest} to ${highest}.`);
        return;
      }
      const before = scores.get(hash);
      if (before === undefined) {
        scores.set(hash, score);
        const deviation = std === undefined ? undefined : parseNumber(values[std] ?? "", decimalComma);
        if (deviation !== undefined && deviation >= 0) stds.set(hash, deviation);
      } else if (before === score) report.add("duplicate", line);
      else
        report.add(
          "conflict",
          line,
          say`${quotedCell(name)} has the score ${before} already; ${score} is not used.`,
        );
    },
  });
  throwIfCancelled(options.signal);
  return { scores, stds, columns, ...report.result, rows, unscored: index.count() - scores.size };
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
  return {
    result,
    /** Without a message it is only counted. */
    add(kind: MosProblemKind, line: number, words?: Text) {
      counts[kind] += 1;
      if (words === undefined) return;
      const message = inEnglish(words);
      result.firstProblem ??= words;
      onProblem?.({ kind, line, message });
      if (problems.length < maxProblems) problems.push({ kind, line, message });
    },
  };
}
