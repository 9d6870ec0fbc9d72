import { marked } from "../../words/text.ts";

/** What is predicted beside the quality, each from a column of its own: sharpness, noise, alignment with a prompt. */
export interface WrittenTarget {
  name?: string;
  column: string;
  std?: string;
  count?: string;
  range?: [lowest: number, highest: number];
  lowerIsBetter?: boolean;
}

/** `mos.score` as it may be written. */
export type WrittenScore = string | (string | WrittenTarget)[] | Record<string, string | WrittenTarget>;

/** A target with all that reading it takes. */
export interface Target extends WrittenTarget {
  name: string;
  range: [lowest: number, highest: number];
  lowerIsBetter: boolean;
}

/** Each takes a pass over the table of scores. */
export const mostTargets = 16;

/** The written targets in their order, the main one first; a column by itself is one. */
export function writtenTargets(score: WrittenScore): (WrittenTarget & { name: string })[] {
  const named = (name: string | undefined, one: string | WrittenTarget) => {
    const target = typeof one === "string" ? { column: one } : one;
    return { ...target, name: name ?? target.name ?? target.column };
  };
  if (typeof score === "string") return [named(undefined, score)];
  return Array.isArray(score)
    ? score.map((one) => named(undefined, one))
    : Object.entries(score).map(([name, one]) => named(name, one));
}

/** What keeps targets from being told apart, as a sentence of the schema; undefined where nothing does. */
export function targetsProblem(score: WrittenScore): string | undefined {
  const names = writtenTargets(score).map(({ name }) => name);
  if (names.length === 0) return marked("`score` names no target");
  if (names.length > mostTargets) return marked("`score` names more than 16 targets");
  if (typeof score === "string") return undefined;
  // Whole numbers would lose their order in a map.
  if (names.some((name) => !/^[\p{L}_][\p{L}\p{M}\p{N} _.-]*$/u.test(name)))
    return marked("a target's name begins with a letter, and has letters, digits, blanks, dots and hyphens");
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
    return marked("two targets have the same name");
  return undefined;
}
