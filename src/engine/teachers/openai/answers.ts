import type { ListedToken } from "./tokens.ts";

/** What a list of tokens says about one answer; all are raw probabilities. */
export interface AnswerReading {
  answer: string;
  /** Tokens that counted for it, most probable first. */
  tokens: string[];
  /** Best estimate; of an answer that is not listed at all, half of what one unlisted token can have. */
  probability: number;
  /** The truth is between these two. */
  atLeast: number;
  atMost: number;
}

/** A token that begins an answer without being it, such as "Ex". */
export interface PrefixToken {
  token: string;
  probability: number;
  /** What is left of each answer after it; null for answers that do not begin so. */
  rests: (string | null)[];
}

export interface Reading {
  answers: AnswerReading[];
  /** Probability seen on the answers, without the estimates for unlisted ones. */
  mass: number;
  /** Probability of all that is not listed; 0 where `options.whole`. */
  unlisted: number;
  /** How much of it one answer can have at most: eight spellings, each no likelier than the least likely that is listed. */
  unseen: number;
  /** Prefix tokens that nobody has looked behind yet, most probable first. */
  prefixes: PrefixToken[];
}

export interface ReadOptions {
  /** All spellings of the answers are in the list: what is not listed is no answer. */
  whole?: boolean;
  /** The tokens continue a begun word: a leading space would end it. */
  continues?: boolean;
  /** By prefix token: the probability that what follows it completes each answer. */
  looks?: ReadonlyMap<string, readonly number[]>;
}

/**
 * Reads the answers from the most probable next tokens (LEAF, arXiv 2601.20689: the first token of each rating word). The list may
 * be unsorted, cut short, and hold a text more than once. Case and leading-space variants are summed. A prefix token counts as
 * `looks` says; without a look, for the one answer that it begins, provided that the answer is not listed whole. A null answer
 * has no probability.
 */
export function readAnswers(
  tokens: readonly ListedToken[],
  answers: readonly (string | null)[],
  { whole = false, continues = false, looks }: ReadOptions = {},
): Reading {
  const wanted = answers.map((answer) => (answer === null ? null : fold(answer)));
  const found = answers.map((answer) => ({
    answer: answer ?? "",
    tokens: [] as string[],
    exact: 0,
    begun: 0,
    possible: 0,
  }));
  const prefixes: PrefixToken[] = [];
  let [listed, least] = [0, 1];
  for (const { token, logprob } of [...tokens].sort((a, b) => b.logprob - a.logprob)) {
    const probability = Math.exp(logprob);
    listed += probability;
    // A stand-in for "none", such as −9999, says nothing of what is not listed.
    if (probability > 0) least = Math.min(least, probability);
    const text = fold(continues ? token : withoutSpace(token));
    if (text === "") continue;
    const at = wanted.indexOf(text);
    if (at >= 0) {
      found[at]!.exact += probability;
      found[at]!.tokens.push(token);
      continue;
    }
    const rests = wanted.map((answer) => (answer?.startsWith(text) ? answer.slice(text.length) : null));
    if (rests.every((rest) => rest === null)) continue;
    const look = looks?.get(token);
    if (!look) {
      prefixes.push({ token, probability, rests });
      continue;
    }
    for (const [i, one] of found.entries()) {
      if (rests[i] === null || !look[i]) continue;
      one.exact += probability * look[i];
      one.tokens.push(token);
    }
  }
  for (const { token, probability, rests } of prefixes) {
    const fitting = found.filter((_, i) => rests[i] !== null);
    for (const one of fitting) one.possible += probability;
    if (fitting.length === 1 && fitting[0]!.exact === 0) {
      fitting[0]!.begun += probability;
      fitting[0]!.tokens.push(token);
    }
  }
  const unlisted = whole ? 0 : Math.max(0, 1 - listed);
  const read = found.map(({ answer, tokens, exact, begun, possible }, i): AnswerReading => {
    if (wanted[i] === null) return { answer, tokens, probability: 0, atLeast: 0, atMost: 0 };
    const seen = exact + begun;
    const probability = seen > 0 ? seen : Math.min(unlisted, least) / 2;
    return { answer, tokens, probability, atLeast: exact, atMost: Math.min(1, exact + possible + unlisted) };
  });
  const mass = found.reduce((sum, { exact, begun }) => sum + exact + begun, 0);
  return {
    answers: read,
    mass: Math.min(1, mass),
    unlisted,
    unseen: Math.min(unlisted, 8 * least),
    prefixes,
  };
}

/** Probabilities that sum to 1: the softmax over the answers alone. */
export function normalised(reading: Reading): number[] {
  const total = reading.answers.reduce((sum, { probability }) => sum + probability, 0);
  return reading.answers.map(({ probability }) =>
    total > 0 ? probability / total : 1 / reading.answers.length,
  );
}

export function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** Leading white space, also as some servers write it raw: "Ġ" (byte-level BPE) and "▁" (SentencePiece). */
function withoutSpace(token: string): string {
  return token.replace(/^[\sĠ▁]+/u, "");
}
