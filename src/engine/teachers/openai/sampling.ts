import { answerIn } from "./thinking.ts";

/** Tokens that a sampled answer may have: a word of several, and what may stand before it. */
export const answerTokens = 8;

/** Answers that one request asks for at most: hosts allow 8 or more, or one. */
export const mostChoices = 8;

/** How often each answer came among so many. */
export interface Counts {
  n: number;
  counts: number[];
  /** Something that was said instead. */
  other: string | undefined;
}

export function countAnswers(texts: readonly (string | undefined)[], answers: readonly string[]): Counts {
  const counts = answers.map(() => 0);
  let other: string | undefined;
  for (const text of texts) {
    const at = answerIn(text ?? "", answers);
    if (at >= 0) counts[at]!++;
    else other ??= (text ?? "").slice(0, 60);
  }
  return { n: texts.length, counts, other };
}

export function addCounts(all: readonly Counts[]): Counts {
  return {
    n: all.reduce((sum, { n }) => sum + n, 0),
    counts: (all[0]?.counts ?? []).map((_, i) => all.reduce((sum, { counts }) => sum + counts[i]!, 0)),
    other: all.find(({ other }) => other !== undefined)?.other,
  };
}

/**
 * The answers' probabilities given how often each came: the mean of the Dirichlet posterior with one pseudo-count shared by all answers
 * (Perks 1947). Its entropy holds the spread of the answers and what so few of them leave open, so that the confidence
 * 1 − H/ln K stays low until enough of them agree.
 */
export function posteriorMean(counts: readonly number[], prior = 1): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count + prior / counts.length) / (total + prior));
}
