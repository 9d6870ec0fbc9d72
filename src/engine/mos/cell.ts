import { bands } from "../../words/score.ts";
import { parseNumber } from "../tables/number.ts";

/** The five-grade scale of ITU-R BT.500, the lowest first. */
export const fiveGrades: readonly string[] = [...bands].reverse();

/** Whether a cell says that there is no number. */
export function isEmptyCell(text: string): boolean {
  return /^(?:|nan|n\/?a|null|none|[-–—])$/i.test(text.trim());
}

/**
 * What the cell of a score says: a number; a list of numbers (ratings, or counts of votes); or what Label Studio wraps in JSON: a rating, a
 * number, or the choice of a number or of a grade of the five-grade scale, which is spread over the range. Undefined for anything else.
 */
export function scoreIn(
  text: string,
  decimalComma: boolean,
  [lowest, highest]: readonly [number, number],
): number | number[] | undefined {
  const plain = parseNumber(text, decimalComma);
  if (plain !== undefined) return plain;
  if (/^\s*[[{]/.test(text)) {
    const inside = innerValue(parsed(text));
    if (typeof inside !== "string") return inside ?? numbersIn(text);
    const grade = fiveGrades.indexOf(inside.toLowerCase());
    return grade < 0 ? parseNumber(inside, decimalComma) : lowest + (grade / 4) * (highest - lowest);
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `4`, `"4"`, `[4]`, `{"rating": 4}`, `[{"number": 4}]`, `{"choices": ["Good"]}`; a list of numbers. */
function innerValue(value: unknown): number | number[] | string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "string") return /^\s*[[{]/.test(value) ? undefined : value.trim();
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((one) => typeof one === "number" && Number.isFinite(one)))
      return value as number[];
    return value.length === 1 ? innerValue(value[0]) : undefined;
  }
  if (value === null || typeof value !== "object") return undefined;
  const counts = countsIn(value);
  if (counts) return counts;
  for (const key of ["rating", "number", "choices", "text", "value"])
    if (Object.hasOwn(value, key)) return innerValue((value as Record<string, unknown>)[key]);
  return undefined;
}

/** `{"1": 3, "2": 8, …}`: how often each grade was given, the lowest first. */
function countsIn(value: object): number[] | undefined {
  const grades = Object.entries(value).map(([grade, count]) => [Number(grade), count] as const);
  const known = grades.every(([grade, count], i) => grade === grades[0]![0] + i && typeof count === "number");
  return grades.length > 2 && known ? grades.map(([, count]) => count as number) : undefined;
}

/** "[2 8 19]", as NumPy prints it. */
function numbersIn(text: string): number[] | undefined {
  const inside = /^\s*\[([^[\]{}]*)\]\s*$/.exec(text)?.[1]?.trim();
  if (!inside) return undefined;
  const numbers = inside.split(/[\s,;]+/).map((part) => parseNumber(part, false));
  return numbers.every((one) => one !== undefined) ? numbers : undefined;
}
