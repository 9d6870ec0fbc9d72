import { figure } from "../../words/figure.ts";
import { isId } from "../base/ids.ts";
import { ratingWords } from "../teachers/judgement.ts";

/**
 * What a label may be. Stores and Parquet files come from anywhere, and our own may have been written to by others: a row that
 * breaks a rule is not used, wherever it lies. The same table of ranges makes the check here and the condition in SQL.
 */
interface Range {
  column: string;
  low: number;
  high: number;
  optional: boolean;
}

/** Sums of probabilities may be off by a rounding. */
const rounding = 1e-6;
const sumRounding = 1e-3;

const share = (column: string, optional = true): Range => ({ column, low: 0, high: 1, optional });

export type LabelTable = "points" | "pairs";

const ranges: Record<LabelTable, Range[]> = {
  points: [
    { column: "score", low: 1, high: 5, optional: false },
    share("confidence", false),
    ...ratingWords.map((word) => share(word)),
    share("mass"),
  ],
  pairs: [
    share("p", false),
    share("confidence", false),
    share("p_ab"),
    share("p_ba"),
    // A difference of logits, which has no bounds of its own.
    { column: "position_bias", low: -1e6, high: 1e6, optional: true },
  ],
};

/** What is wrong with a label, such as "p is 42"; undefined for a good one. Columns as in the store; `undefined` is absent. */
export function labelFault(table: LabelTable, row: Readonly<Record<string, unknown>>): string | undefined {
  for (const { column, low, high, optional } of ranges[table]) {
    const value = row[column];
    if (isAbsent(value)) {
      if (!optional) return `${column} is missing`;
    } else if (typeof value !== "number" || !(value >= low - rounding && value <= high + rounding))
      return `${column} is ${shown(value)}`;
  }
  if (table === "pairs") return undefined;
  const probabilities = ratingWords.map((word) => row[word]);
  // A person gives a score and no probabilities.
  if (probabilities.every(isAbsent)) return undefined;
  if (probabilities.some(isAbsent)) return "some of the five probabilities are missing";
  const sum = (probabilities as number[]).reduce((total, p) => total + p, 0);
  return Math.abs(sum - 1) <= sumRounding ? undefined : `the five probabilities sum to ${figure(sum)}`;
}

/** The same as a condition on a row `alias` that is `ok`. Text, blobs and NULL are outside of any range. */
export function usable(table: LabelTable, alias: string): string {
  const within = ({ column, low, high, optional }: Range) => {
    const name = `${alias}.${column}`;
    const inside = `${name} BETWEEN ${low - rounding} AND ${high + rounding}`;
    return optional ? `(${name} IS NULL OR ${inside})` : inside;
  };
  const words = ratingWords.map((word) => `${alias}.${word}`);
  const sums =
    table === "points"
      ? [`(coalesce(${words.join(", ")}) IS NULL OR abs(${words.join(" + ")} - 1) <= ${sumRounding})`]
      : [];
  return [`${alias}.status = 'ok'`, ...ranges[table].map(within), ...sums].join(" AND ");
}

/** A row that says `ok` and breaks a rule. */
export function unusable(table: LabelTable, alias: string): string {
  return `(${alias}.status = 'ok' AND NOT coalesce((${usable(table, alias)}), 0))`;
}

export function isHash(value: unknown): value is string {
  return isId("hash", value);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** A value in a sentence, whatever it is. */
function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : `a ${typeof value}`;
}

/** JSON from a store, for people to read; null where it is none. */
export function describedBy(text: unknown): unknown {
  if (typeof text !== "string" || text.length > mostDescription) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const mostDescription = 1_000_000;
/** Rows that broke a rule: how many, and the first of them in words. */
export interface BadRows {
  count: number;
  examples: string[];
}

const mostExamples = 10;

export function badRows(): BadRows & { add(example: string): void } {
  const found: BadRows & { add(example: string): void } = {
    count: 0,
    examples: [],
    add(example) {
      found.count++;
      if (found.examples.length < mostExamples) found.examples.push(example);
    },
  };
  return found;
}
