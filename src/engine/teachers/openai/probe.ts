import sharp from "sharp";
import { quoted, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { Prompts } from "../prompts.ts";
import type { Capabilities } from "./capabilities.ts";
import { type Client, trimmed } from "./client.ts";
import { RequestFailure, StatusError, shownUrl } from "./failures.ts";
import { toDataUrl } from "./picture.ts";
import { chatBody, type Question } from "./question.ts";
import { chosenTokenIds } from "./tokenIds.ts";
import { textOf, tokensOf, usageOf } from "./tokens.ts";

/** `top_logprobs` to ask for: the first that the server takes. OpenAI and vLLM allow 20, some hosts 8 or 5. */
const listSizes = [500, 100, 20, 8, 5];
const tries = 4;
const longestWaitMs = 2000;

type Draft = Pick<Capabilities, "listed" | "maxTokens" | "always" | "prefill">;

/**
 * Finds out what a server can do, by some ten small requests. Throws RequestFailure where it does not answer well now, and LeafError
 * `environment` where it, or its model, cannot be a teacher.
 */
export async function probe(
  client: Client,
  base: string,
  prompts: Prompts,
  signal?: AbortSignal,
): Promise<Capabilities> {
  const where = shownUrl(base);
  const server = await whoIsIt(client, base, signal);
  const images = [await plainPicture(96), await plainPicture(160)];
  const point: Question = { parts: prompts.point, images, maxTokens: 1, want: "list" };
  // llama.cpp computes a prompt's cached beginning with other rounding: the same question would get other answers (up to 1e-3 seen).
  // Questions share no beginning worth keeping.
  const always = server === "llama.cpp" ? { cache_prompt: false } : {};
  const draft: Draft = { listed: listSizes[0]!, maxTokens: "max_tokens", always, prefill: null };

  const ask = (question: Question) =>
    patiently(() => client.complete(base, chatBody(client.model, question, draft), "other", signal));

  let first = await negotiated(ask, draft, point, where);
  if (thinksAloud(first)) {
    // Qwen3, InternVL 3.5 and others; a template that knows no thinking ignores it.
    draft.always = { ...always, chat_template_kwargs: { enable_thinking: false } };
    first = await negotiated(ask, draft, point, where);
  }
  const tokenIds = await chosenTokenIds(client, base, prompts, {
    server,
    ask: (ids) => ask({ ...point, want: { ids } }),
    signal,
  });
  draft.prefill = await prefillOf(ask, draft);
  const twoImages = await takesTwo(() => ask({ ...point, parts: prompts.pair }));
  return { server, ...draft, tokenIds, twoImages, usage: usageOf(first) !== undefined };
}

/** Asks one small question of a server that is known. Throws as `probe` does. */
export async function check(
  client: Client,
  base: string,
  prompts: Prompts,
  known: Capabilities,
  signal?: AbortSignal,
): Promise<void> {
  const question: Question = {
    parts: prompts.point,
    images: [await plainPicture(96)],
    maxTokens: 1,
    want: "list",
  };
  await patiently(() => client.complete(base, chatBody(client.model, question, known), "other", signal));
}

async function whoIsIt(client: Client, base: string, signal?: AbortSignal): Promise<string> {
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

/** Asks the question with the longest list that the server takes, and adapts the draft to what it refuses. */
async function negotiated(
  ask: (question: Question) => Promise<unknown>,
  draft: Draft,
  question: Question,
  where: string,
): Promise<unknown> {
  let refusal = "";
  const sizes = listSizes.filter((size) => size <= draft.listed);
  for (let at = 0; at < sizes.length; ) {
    draft.listed = sizes[at]!;
    try {
      const completion = await ask(question);
      if (typeof tokensOf(completion) !== "string") return completion;
      if (textOf(completion) === undefined)
        throw new RequestFailure("again", quoted(tokensOf(completion) as string));
      throw new LeafError("environment", say`${where} gives no log-probabilities of candidates.`, {
        remedy: say`Use a server that does: vLLM, SGLang or llama.cpp; reasoning models and \`transformers serve\` do not.`,
      });
    } catch (error) {
      if (!(error instanceof RequestFailure && error.kind === "image")) throw error;
      refusal = error.message;
      if (draft.maxTokens === "max_tokens" && /max_completion_tokens/.test(refusal)) {
        draft.maxTokens = "max_completion_tokens";
        continue;
      }
      at++;
    }
  }
  const takesText = await ask({
    parts: [{ type: "text", text: "Answer yes." }],
    images: [],
    maxTokens: 1,
    want: "list",
  }).then(
    () => true,
    () => false,
  );
  throw new LeafError(
    "environment",
    takesText
      ? say`${where} answers text, but not a question with an image: ${refusal}.`
      : say`${where} does not answer a question with log-probabilities: ${refusal}.`,
    {
      remedy: takesText
        ? say`Serve a multimodal model (llama.cpp: with its --mmproj file), or raise the server's context length.`
        : say`Check \`teacher.model\`, and that the model and server offer \`logprobs\` with \`top_logprobs\`.`,
    },
  );
}

function thinksAloud(completion: unknown): boolean {
  const tokens = tokensOf(completion);
  if (typeof tokens === "string") return false;
  const best = tokens.reduce((most, one) => (one.logprob > most.logprob ? one : most));
  return /^\s*<\W?think/i.test(best.token);
}

/**
 * How the server is made to go on with a begun answer. Shown by the length of the prompt: a prefill of n tokens makes it as much
 * longer as the same text at the question's end does; a finished turn would add its marks as well.
 */
async function prefillOf(
  ask: (question: Question) => Promise<unknown>,
  draft: Draft,
): Promise<Record<string, unknown> | null> {
  const begun = " one two three four five six seven eight";
  const text = "Count to ten:";
  const length = async (parts: string, prefill: string | null): Promise<number | undefined> => {
    const question = [{ type: "text" as const, text: parts }];
    const completion = await ask({ parts: question, images: [], prefill, maxTokens: 1, want: "list" });
    return usageOf(completion)?.input;
  };
  try {
    const [bare, longer] = [await length(text, null), await length(text + begun, null)];
    if (bare === undefined || longer === undefined) return null;
    for (const fields of [{ add_generation_prompt: false, continue_final_message: true }, {}]) {
      draft.prefill = fields;
      try {
        const prefilled = await length(text, begun.trim());
        if (prefilled !== undefined && Math.abs(prefilled - longer) <= 1 && prefilled > bare) return fields;
      } catch (error) {
        if (!(error instanceof RequestFailure && error.kind === "image")) throw error;
      }
    }
    return null;
  } catch (error) {
    if (error instanceof RequestFailure && error.kind === "image") return null;
    throw error;
  } finally {
    draft.prefill = null;
  }
}

async function takesTwo(ask: () => Promise<unknown>): Promise<true | string> {
  try {
    await ask();
    return true;
  } catch (error) {
    if (error instanceof RequestFailure && error.kind === "image") return error.message;
    throw error;
  }
}

/** A few tries, so that one hiccup does not begin the probe anew. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      const isHiccup = error instanceof RequestFailure && (error.kind === "again" || error.kind === "busy");
      const wait = isHiccup ? (error.waitMs ?? 100 * 2 ** tried * Math.random()) : Number.POSITIVE_INFINITY;
      if (tried >= tries || wait > longestWaitMs) throw error;
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
