import * as z from "zod";
import { LeafError } from "../../base/errors.ts";
import type { Prompts } from "../prompts.ts";
import type { Capabilities } from "./capabilities.ts";
import { type Client, trimmed } from "./client.ts";
import { RequestFailure } from "./failures.ts";
import type { ListedToken } from "./tokens.ts";

interface Probing {
  server: string;
  /** Asks the point-wise question for the probabilities of these tokens. */
  ask: (ids: readonly number[]) => Promise<unknown>;
  /** The candidates at the position of the answer. */
  read: (completion: unknown) => ListedToken[] | string;
  signal?: AbortSignal;
}

/**
 * First tokens of all spellings of the answers, where the server gives the probabilities of tokens chosen by id (vLLM's
 * `/tokenize` and `logprob_token_ids`); else null. They are exact, however unlikely the tokens are.
 */
export async function chosenTokenIds(
  client: Client,
  base: string,
  prompts: Prompts,
  { server, ask, read, signal }: Probing,
): Promise<Capabilities["tokenIds"]> {
  // llama.cpp has a /tokenize of another form, and ignores the ids.
  if (server !== "vLLM" && server !== "server") return null;
  try {
    const firstIds = async (answers: readonly string[]) => {
      const ids = new Set<number>();
      for (const text of answers.flatMap(spellings)) ids.add(await firstToken(client, base, text, signal));
      return [...ids];
    };
    const point = await firstIds(prompts.words);
    const tie = prompts.tie === null ? [] : [prompts.tie];
    const pair = await firstIds([...prompts.letters, ...tie]);
    const listed = read(await ask(point));
    if (typeof listed === "string") return null;
    // A server that ignores the ids lists what is likeliest instead.
    const begins = prompts.words.flatMap(spellings);
    const asWanted = listed.filter(({ token }) => begins.some((text) => text.startsWith(token)));
    return asWanted.length >= point.length ? { point, pair } : null;
  } catch (error) {
    const isMissing =
      error instanceof RequestFailure ? error.kind !== "busy" && error.kind !== "down" : isRefusal(error);
    if (isMissing) return null;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof z.ZodError || (error instanceof LeafError && error.code === "environment");
}

/** Case variants with and without a leading space, each once. */
export function spellings(answer: string): string[] {
  const capital = answer.charAt(0).toUpperCase() + answer.slice(1);
  const cases = new Set([answer, answer.toLowerCase(), capital, answer.toUpperCase()]);
  return [...cases].flatMap((spelling) => [spelling, ` ${spelling}`]);
}

const tokenized = z.object({ tokens: z.array(z.int().min(0)).min(1) });

async function firstToken(client: Client, base: string, text: string, signal?: AbortSignal): Promise<number> {
  const url = `${trimmed(base).replace(/\/v1$/, "")}/tokenize`;
  const body = { model: client.model, prompt: text, add_special_tokens: false };
  return tokenized.parse(await client.fetchJson(url, body, signal)).tokens[0]!;
}
