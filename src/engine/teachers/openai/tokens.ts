import * as z from "zod";
import { figure } from "../../../words/figure.ts";
import type { Tokens } from "./budget.ts";

/** One candidate for the next token, as a server lists it. */
export interface ListedToken {
  /** Not a key: tokens that are part of a character all arrive as "" or "\ufffd". */
  token: string;
  /** Natural logarithm of its probability. */
  logprob: number;
  id?: number;
  bytes?: number[] | null;
}

const listed = z.object({
  token: z.string(),
  logprob: z.number().max(0.01),
  id: z.number().optional().catch(undefined),
  bytes: z.array(z.number()).nullish().catch(undefined),
});

const all = z.array(listed);

const position = z.object({
  token: z.string().catch(""),
  top_logprobs: z
    .array(z.unknown())
    .max(1_000_000)
    .nullish()
    .transform((all) => all ?? []),
});

const answer = z.object({
  choices: z.array(z.object({ logprobs: z.object({ content: z.array(z.unknown()).min(1) }) })).min(1),
});

/** The candidates at one position of an answer, and the token that was taken there. */
export interface Position {
  token: string;
  tokens: ListedToken[];
}

/**
 * The candidates at the first position of a chat completion, each once, in no order; the reason as a string where there are none
 * or they cannot be probabilities. Entries without a finite log-probability add nothing.
 */
export function tokensOf(completion: unknown): ListedToken[] | string {
  const contents = contentsOf(completion);
  return typeof contents === "string" ? contents : candidates(contents[0]);
}

/** The same at each position of the answer; the reason where its first one has none. */
export function positionsOf(completion: unknown): Position[] | string {
  const contents = contentsOf(completion);
  if (typeof contents === "string") return contents;
  const read = contents.map((content) => ({
    token: position.safeParse(content).data?.token ?? "",
    tokens: candidates(content),
  }));
  const first = read[0]!.tokens;
  if (typeof first === "string") return first;
  return read.map(({ token, tokens }) => ({ token, tokens: typeof tokens === "string" ? [] : tokens }));
}

function contentsOf(completion: unknown): unknown[] | string {
  const parsed = answer.safeParse(completion);
  if (parsed.success) return parsed.data.choices[0]!.logprobs.content;
  const choice = (completion as { choices?: unknown[] } | null)?.choices?.[0];
  const sent = (choice as { logprobs?: unknown } | undefined)?.logprobs;
  return `the answer has no log-probabilities (${sent === undefined ? shown(completion) : `logprobs: ${shown(sent)}`})`;
}

function candidates(content: unknown): ListedToken[] | string {
  const at = position.safeParse(content);
  if (!at.success) return `the answer's log-probabilities are not valid (${shown(content)})`;
  const { top_logprobs } = at.data;
  if (top_logprobs.length === 0) return "the answer lists no candidates";
  // All at once where all are well, as they mostly are: it takes half the time.
  const valid =
    all.safeParse(top_logprobs).data ?? top_logprobs.flatMap((one) => listed.safeParse(one).data ?? []);
  if (valid.length === 0) return `the answer's log-probabilities are not valid (${shown(top_logprobs)})`;
  // Some servers list a sampled token apart.
  const tokens = withoutRepeats([...valid, ...[listed.safeParse(content).data ?? []].flat()]);
  const sum = tokens.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
  if (sum > 1.01) return `the answer's probabilities sum to ${figure(sum, 2)}`;
  return tokens;
}

/** The beginning of what a server sent. */
function shown(sent: unknown): string {
  const text = JSON.stringify(sent) ?? "nothing";
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Some servers list the sampled token twice. Two tokens of one text have different probabilities, or else none worth counting. */
function withoutRepeats(tokens: ListedToken[]): ListedToken[] {
  const seen = new Set<string>();
  return tokens.filter(({ token, logprob, id, bytes }) => {
    const key = id === undefined ? JSON.stringify([token, bytes ?? null, logprob]) : String(id);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const tally = z.number().min(0);
const usage = z.object({
  usage: z.object({
    prompt_tokens: tally,
    completion_tokens: tally.catch(0),
    prompt_tokens_details: z.object({ cached_tokens: tally }).optional().catch(undefined),
  }),
  // llama.cpp's.
  timings: z.object({ cache_n: tally }).optional().catch(undefined),
});

/** What a completion took; undefined where the server does not say. */
export function usageOf(completion: unknown): Tokens | undefined {
  const parsed = usage.safeParse(completion);
  if (!parsed.success) return undefined;
  const { prompt_tokens, completion_tokens, prompt_tokens_details: details } = parsed.data.usage;
  const cached = details?.cached_tokens ?? parsed.data.timings?.cache_n;
  return {
    input: prompt_tokens,
    output: completion_tokens,
    ...(cached !== undefined && { cached: Math.min(cached, prompt_tokens) }),
  };
}

const written = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
});

/** The texts of a completion's choices; one without a text is undefined. None where it is no completion. */
export function textsOf(completion: unknown): (string | undefined)[] {
  const parsed = written.safeParse(completion);
  return parsed.success ? parsed.data.choices.map(({ message }) => message.content ?? undefined) : [];
}

/** The text of a completion; undefined where there is none. */
export function textOf(completion: unknown): string | undefined {
  return textsOf(completion)[0];
}
