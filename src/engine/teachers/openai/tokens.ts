import { z } from "zod";
import { figure } from "../../../words/figure.ts";

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

const chosen = z.object({ ...listed.shape, top_logprobs: z.array(listed).max(1_000_000) });

const answer = z.object({
  choices: z.array(z.object({ logprobs: z.object({ content: z.array(z.unknown()).min(1) }) })).min(1),
});

/**
 * The candidates at the first position of a chat completion, each once, in no order; the reason as a string where there are none
 * or they cannot be probabilities.
 */
export function tokensOf(completion: unknown): ListedToken[] | string {
  const parsed = answer.safeParse(completion);
  if (!parsed.success) return "the answer has no log-probabilities";
  const first = chosen.safeParse(parsed.data.choices[0]!.logprobs.content[0]);
  if (!first.success) return "the answer's log-probabilities are not valid";
  const { top_logprobs, ...sampled } = first.data;
  if (top_logprobs.length === 0) return "the answer lists no candidates";
  const tokens = withoutRepeats([...top_logprobs, sampled]);
  const sum = tokens.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
  if (sum > 1.01) return `the answer's probabilities sum to ${figure(sum, 2)}`;
  return tokens;
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

const usage = z.object({
  usage: z.object({ prompt_tokens: z.number().min(0), completion_tokens: z.number().min(0).catch(0) }),
});

/** Tokens that a completion cost; undefined where the server does not say. */
export function usageOf(completion: unknown): { input: number; output: number } | undefined {
  const parsed = usage.safeParse(completion);
  if (!parsed.success) return undefined;
  return { input: parsed.data.usage.prompt_tokens, output: parsed.data.usage.completion_tokens };
}

const written = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
});

/** The text of a completion; undefined where there is none. */
export function textOf(completion: unknown): string | undefined {
  const parsed = written.safeParse(completion);
  return parsed.success ? (parsed.data.choices[0]!.message.content ?? undefined) : undefined;
}
