import { shownUrl } from "../../base/endpoint.ts";
import { sharp } from "../../images/sharp.ts";
import type { Prompts } from "../prompts.ts";
import type { Capabilities } from "./capabilities.ts";
import { type Client, trimmed } from "./client.ts";
import { RequestFailure, StatusError } from "./failures.ts";
import { type Ask, adapted, cannotJudge, type Draft, type Listed, negotiated } from "./negotiate.ts";
import { toDataUrl } from "./picture.ts";
import { prefillOf } from "./prefill.ts";
import { chatBody, type Question } from "./question.ts";
import { answerTokens, mostChoices } from "./sampling.ts";
import { answerIn, tokensIn } from "./thinking.ts";
import { chosenTokenIds } from "./tokenIds.ts";
import { textOf, textsOf, tokensOf, usageOf } from "./tokens.ts";
import { brought, listedShare } from "./waysOut.ts";

const longestList = 500;
const tries = 4;
const longestWaitMs = 2000;

export interface ProbeOptions {
  prompts: Prompts;
  /** `teacher.probabilities`. */
  probabilities: "auto" | "logprobs" | "sampling";
  signal?: AbortSignal;
}

/**
 * Finds out what a server can do, by some ten small requests; some more where its model thinks. Throws RequestFailure where it does not
 * answer well now, and LeafError `environment` where it, or its model, cannot be a teacher.
 */
export async function probe(
  client: Client,
  base: string,
  { prompts, probabilities, signal }: ProbeOptions,
): Promise<Capabilities> {
  const server = await whoIsIt(client, base, signal);
  const images = [await plainPicture(96), await plainPicture(160)];
  const point: Question = { parts: prompts.point, images, maxTokens: 1, want: "list" };
  const draft: Draft = {
    listed: longestList,
    maxTokens: "max_tokens",
    leastTokens: 1,
    temperature: 0,
    // llama.cpp computes a prompt's cached beginning with other rounding: the same question would get other answers (up to 1e-3 seen).
    // Questions share no beginning worth keeping.
    always: server === "llama.cpp" ? { cache_prompt: false } : {},
    prefill: null,
    thinking: { way: "atOnce" },
  };
  const ask: Ask = (question, once) =>
    patiently(
      () => client.complete(base, chatBody(client, question, draft), "other", signal),
      once ? 1 : tries,
    );
  const words = prompts.words as readonly string[];

  const listed: Listed | undefined =
    probabilities === "sampling" ? undefined : await negotiated(ask, draft, point);
  let first = listed?.outcome === "refused" ? undefined : listed?.completion;
  // A thought may have swallowed the answer, and its list with it.
  let isListed = listed?.outcome === "listed";
  if (isListed || (listed?.outcome === "none" && !textOf(first)?.trim())) {
    const share = (completion: unknown) => listedShare(completion, words, draft);
    const solved = await brought(ask, draft, point, share, isListed ? share(first) : 0);
    if (solved !== undefined) [first, isListed] = [solved, true];
  }
  let choices = false;
  if (!isListed) {
    if (probabilities === "logprobs") throw cannotJudge(shownUrl(base), listed!, await takesText(ask));
    draft.thinking = { way: "atOnce" };
    const spoken = await sampled(ask, draft, point, words).catch(async (error: unknown) => {
      if (!(error instanceof RequestFailure && error.kind === "image")) throw error;
      throw cannotJudge(
        shownUrl(base),
        listed?.outcome === "refused" ? listed : { outcome: "refused", why: error },
        await takesText(ask),
      );
    });
    [first, choices] = [spoken.completion, spoken.choices];
    draft.listed = 0;
  }
  const tokenIds = isListed
    ? await chosenTokenIds(client, base, prompts, {
        server,
        ask: (ids) => ask({ ...point, want: { ids } }),
        read: (completion) => tokensIn(completion, draft.thinking),
        signal,
      })
    : null;
  draft.prefill = await prefillOf(ask, draft);
  const pair: Question = { ...point, parts: prompts.pair, want: isListed ? "list" : "text" };
  const takesTwo = (await unlessRefused(() => ask(pair))) !== undefined;
  return {
    server,
    ...draft,
    probabilities: isListed ? "logprobs" : "sampling",
    tokenIds,
    pairs: takesTwo ? "two" : "canvas",
    choices,
    usage: usageOf(first) !== undefined,
  };
}

/** Asks one small question of a server that is known. Whether it answers as it is known to; throws as `probe` does. */
export async function check(
  client: Client,
  base: string,
  { prompts, signal }: ProbeOptions,
  known: Capabilities,
): Promise<boolean> {
  const question: Question = {
    parts: prompts.point,
    images: [await plainPicture(96)],
    maxTokens: 1,
    want: known.probabilities === "logprobs" ? "list" : "text",
  };
  const answer = await patiently(
    () => client.complete(base, chatBody(client, question, known), "other", signal),
    tries,
  );
  return known.probabilities === "sampling" || typeof tokensOf(answer) !== "string";
}

export async function whoIsIt(client: Client, base: string, signal?: AbortSignal): Promise<string> {
  const names: Record<string, string> = {
    vllm: "vLLM",
    llamacpp: "llama.cpp",
    sglang: "SGLang",
    openai: "OpenAI",
  };
  try {
    const listed = (await client.fetchJson(`${trimmed(base)}/models`, undefined, signal)) as {
      data?: { owned_by?: unknown }[];
    } | null;
    const owner = listed?.data?.[0]?.owned_by;
    return (typeof owner === "string" && names[owner.toLowerCase()]) || "server";
  } catch (error) {
    // Not every server lists its models; but nobody there, a wrong key or a busy server stays what it is.
    const unimportant =
      error instanceof RequestFailure
        ? error.kind === "image" || error.kind === "again"
        : error instanceof StatusError && [404, 405, 501].includes(error.status);
    if (unimportant) return "server";
    throw error;
  }
}

/** An answer as text, by whatever way it takes; and whether several may be had by one request. */
async function sampled(
  ask: Ask,
  draft: Draft,
  point: Question,
  words: readonly string[],
): Promise<{ completion: unknown; choices: boolean }> {
  const question: Question = { ...point, want: "text", maxTokens: answerTokens };
  const share = (completion: unknown) => (answerIn(textOf(completion) ?? "", words) >= 0 ? 1 : 0);
  const first = await adapting(ask, draft, question);
  const completion = (await brought(ask, draft, question, share, share(first))) ?? first;
  const several = await unlessRefused(() => ask({ ...question, want: { texts: mostChoices, seed: 0 } }));
  const choices = textsOf(several).length === mostChoices;
  return { completion, choices };
}

/** Without a list; a field that is refused is left out or set otherwise. */
async function adapting(ask: Ask, draft: Draft, question: Question): Promise<unknown> {
  for (;;) {
    try {
      return await ask(question);
    } catch (error) {
      const refused = error instanceof RequestFailure && error.kind === "image";
      if (!refused || !adapted(draft, error.message)) throw error;
    }
  }
}

function takesText(ask: Ask): Promise<boolean> {
  const parts = [{ type: "text" as const, text: "Answer yes." }];
  return ask({ parts, images: [], maxTokens: 1, want: "list" }).then(
    () => true,
    () => false,
  );
}

/** The answer to a question; undefined where it is not taken, or the server breaks over it again and again. */
async function unlessRefused(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RequestFailure && (error.kind === "image" || error.kind === "again"))
      return undefined;
    throw error;
  }
}

/** A few tries, so that one hiccup does not begin the probe anew. */
async function patiently<T>(work: () => Promise<T>, most: number): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      const isHiccup = error instanceof RequestFailure && (error.kind === "again" || error.kind === "busy");
      const wait = isHiccup ? (error.waitMs ?? 100 * 2 ** tried * Math.random()) : Number.POSITIVE_INFINITY;
      const enough = error instanceof RequestFailure && error.kind === "busy" ? tries : most;
      if (tried >= enough || wait > longestWaitMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

async function plainPicture(grey: number): Promise<Buffer> {
  const background = { r: grey, g: grey, b: grey };
  const png = await sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .png()
    .toBuffer();
  return toDataUrl(png, null, "plain.png");
}
