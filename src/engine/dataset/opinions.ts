import type { Retest } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { retestsOf } from "../metrics/retest.ts";
import { isEmptyCell, scoreIn } from "../mos/cell.ts";
import {
  type CollectedRatings,
  collectRatings,
  type Opinion,
  opinionOfVotes,
  type Ratings,
  ratingsOfVotes,
} from "../mos/ratings.ts";
import type { MosShape } from "../mos/shape.ts";
import { opinionsOf, type SubjectModel } from "../mos/subjects.ts";
import { quotedCell } from "../tables/cellText.ts";
import { parseNumber } from "../tables/number.ts";
import type { ImageRow } from "./imageTable.ts";
import type { MosProblemKind, MosSource } from "./mosSource.ts";

/** What single ratings or votes come to. */
export interface RawOpinions {
  opinions: Map<string, Opinion>;
  ratings: Ratings;
  /** How the file holds them, for people. */
  how: "rows" | "anonymous" | "columns" | "votes" | "lists";
  /** Raters who have rated images twice; absent where nobody has. */
  retests?: Retest[];
}

/** When a rating was given, where a column says it: only the order counts. */
export const timeColumn = "time";

export interface OpinionReader {
  row(row: ImageRow<string>): void;
  /** Undefined where the table holds no ratings after all. */
  finish(): RawOpinions | undefined;
}

type Report = (kind: MosProblemKind, line: number, message?: Text) => void;

/** Reads single ratings or votes, by the shape of their table. Throws a LeafError `config` where votes do not fit the range. */
export function opinionReader(shape: MosShape, source: MosSource, report: Report): OpinionReader {
  switch (shape.kind) {
    case "votes":
      return votesReader(shape.votes, source, report);
    case "columns":
      return columnsReader(shape.raters, source, report);
    case "rows":
      return rowsReader(shape, source, report);
    case "scores":
      throw new Error("scores are read one by one");
  }
}

/** Ratings of raters, made a MOS as the config says. */
export function fromRatings(
  ratings: CollectedRatings,
  how: RawOpinions["how"],
  { subjects = "plain", file }: { subjects?: SubjectModel; file: string },
): RawOpinions {
  if (subjects !== "plain" && ratings.raters.length === 0) throw needsRaters(subjects, file);
  const retests = retestsOf(ratings.repeated());
  return { opinions: opinionsOf(ratings, subjects), ratings, how, ...(retests.length > 0 && { retests }) };
}

function needsRaters(subjects: SubjectModel, file: string): LeafError {
  return new LeafError("config", say`\`mos.subjects: ${subjects}\` needs to know who rated.`, {
    file,
    key: ["mos", "subjects"],
    remedy: say`Name the column that says it under \`mos.rater\`, or the raters' columns under \`mos.raters\`.`,
  });
}

/** A number in the range of the scores; else it is told why not. */
export function scoreInRange(
  text: string,
  { name, line, decimalComma }: Pick<ImageRow<string>, "name" | "line" | "decimalComma">,
  range: readonly [number, number],
  report: Report,
): number | number[] | undefined {
  const score = scoreIn(text, decimalComma, range);
  const [lowest, highest] = range;
  if (score === undefined) {
    report(
      "notANumber",
      line,
      text === ""
        ? say`${quotedCell(name)} has no score.`
        : say`The score ${quotedCell(text)} is not a number.`,
    );
    return undefined;
  }
  if (typeof score === "number" && (score < lowest || score > highest)) {
    report("outOfRange", line, say`The score ${text} is outside the range ${lowest} to ${highest}.`);
    return undefined;
  }
  return score;
}

function rowsReader(
  { score, rater, told }: Extract<MosShape, { kind: "rows" }>,
  source: MosSource,
  report: Report,
): OpinionReader {
  const ratings = collectRatings();
  let repeated = told;
  return {
    row(row) {
      const value = scoreInRange(row.values[score] ?? "", row, source.range, report);
      if (value === undefined) return;
      if (ratings.of(row.hash)) repeated = true;
      for (const one of [value].flat())
        ratings.add(row.hash, one, row.values[rater] ?? "", row.values[timeColumn]);
    },
    finish: () => (repeated ? fromRatings(ratings, "rows", source) : undefined),
  };
}

function columnsReader(raters: readonly string[], source: MosSource, report: Report): OpinionReader {
  const ratings = collectRatings();
  return {
    row(row) {
      let found = 0;
      for (const rater of raters) {
        const text = row.values[rater] ?? "";
        // Not everybody has rated everything.
        if (isEmptyCell(text)) continue;
        const value = scoreInRange(text, row, source.range, report);
        if (typeof value !== "number") continue;
        ratings.add(row.hash, value, rater);
        found += 1;
      }
      if (found === 0) report("notANumber", row.line, say`${quotedCell(row.name)} has no rating.`);
    },
    finish: () => fromRatings(ratings, "columns", source),
  };
}

function votesReader(votes: readonly string[], source: MosSource, report: Report): OpinionReader {
  const counts = new Map<string, number[]>();
  const grades = gradesOf(votes.length, source);
  return {
    row({ line, name, hash, values, decimalComma }) {
      const given = votes.map((column) => {
        const text = values[column] ?? "";
        return text === "" ? 0 : parseNumber(text, decimalComma);
      });
      if (given.some((count) => count === undefined || count < 0)) {
        const bad = votes.find((_, i) => given[i] === undefined || given[i]! < 0)!;
        return report("notANumber", line, say`${quotedCell(values[bad] ?? "")} is no number of votes.`);
      }
      const whole = given as number[];
      if (whole.every((count) => count === 0))
        return report("notANumber", line, say`${quotedCell(name)} has no votes.`);
      const before = counts.get(hash);
      if (!before) counts.set(hash, whole);
      else if (before.every((count, i) => count === whole[i])) report("duplicate", line);
      else report("conflict", line, say`${quotedCell(name)} has votes already; others are not used.`);
    },
    finish: () => fromVotes(grades, counts, source),
  };
}

function fromVotes(
  grades: readonly number[],
  counts: ReadonlyMap<string, number[]>,
  { subjects = "plain", file }: Pick<MosSource, "subjects" | "file">,
): RawOpinions {
  const ratings = ratingsOfVotes(grades, counts);
  if (subjects !== "plain") throw needsRaters(subjects, file);
  const opinions = new Map([...counts].map(([hash, given]) => [hash, opinionOfVotes(grades, given)]));
  return { opinions, ratings, how: "votes" };
}

/** The grades that are voted for: every whole number of the range. */
function gradesOf(count: number, { file, range: [lowest, highest] }: MosSource): number[] {
  if (count !== highest - lowest + 1)
    throw new LeafError(
      "config",
      say`There are ${count} counts of votes, and ${lowest} to ${highest} has ${highest - lowest + 1} grades.`,
      {
        file,
        key: ["mos", "range"],
        remedy: say`Write the lowest and the highest grade, such as \`range: [1, ${count}]\`.`,
      },
    );
  return Array.from({ length: count }, (_, i) => lowest + i);
}

/**
 * Lists in the cells of scores are votes where they have a number for each grade and one of them is no rating; ratings where all are in the
 * range. Throws a LeafError `config` where they may be both.
 */
export function fromLists(lists: ReadonlyMap<string, number[]>, source: MosSource): RawOpinions {
  const [lowest, highest] = source.range;
  const all = [...lists.values()];
  const isForGrades = all.every(({ length }) => length === highest - lowest + 1);
  const isInRange = all.every((list) => list.every((value) => value >= lowest && value <= highest));
  const isOpen = highest - lowest > 1e9 && all.every(({ length }) => length === all[0]!.length && length > 2);
  if (isInRange && (isForGrades || isOpen))
    throw new LeafError(
      "config",
      say`The lists of ${all[0]!.length} numbers in ${source.file} may be ratings, or votes for each grade.`,
      {
        file: source.file,
        remedy: say`Set \`mos.range\` to the range of the grades. If that does not help, put them into columns and name these under \`mos.raters\` or \`mos.votes\`.`,
      },
    );
  if (isInRange) {
    const ratings = collectRatings();
    for (const [hash, list] of lists) for (const value of list) ratings.add(hash, value, "");
    return fromRatings(ratings, "lists", source);
  }
  const [first] = all;
  return fromVotes(gradesOf(first!.length, source), lists, source);
}
