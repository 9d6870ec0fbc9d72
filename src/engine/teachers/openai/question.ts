import { randomUUID } from "node:crypto";
import type { PromptPart } from "../prompts.ts";
import type { Capabilities } from "./capabilities.ts";

/** One question to a model, before it is known who will answer it. */
export interface Question {
  parts: readonly PromptPart[];
  /** Data URLs in ASCII, by the numbers in `parts`. */
  images: readonly Buffer[];
  /** Start of the answer, put in the model's mouth. */
  prefill?: string | null;
  /** Tokens that the answer may have; 1 where only the first one's probabilities count. */
  maxTokens: number;
  /** What is wanted: the likeliest tokens, tokens by their ids, the likeliest text, or so many texts as they come. */
  want: "list" | { ids: readonly number[] } | "text" | { texts: number; seed: number };
}

export type QuestionTarget = Pick<
  Capabilities,
  "listed" | "maxTokens" | "leastTokens" | "temperature" | "always" | "prefill" | "thinking"
>;

/** Who is asked: the model, and the fields of `teacher.request`. */
export interface Asked {
  model: string;
  request: Record<string, unknown>;
}

/** A longer list at each token of a thought would be megabytes. */
const listedInThoughts = 20;

/** Stands for an image in the JSON; nothing in a prompt can equal it. */
const marker = `image-${randomUUID()}-`;
const markers = new RegExp(`${marker}(\\d)`);

/**
 * The body of a chat completion, in pieces: images make up nearly all of it, and going through JSON and UTF-8 they would cost most of
 * the time of a request. Temperature 0 picks the likeliest token; the listed probabilities are those of the model itself, before any
 * sampling, on all servers. No grammar: vLLM would list the probabilities under it.
 */
export function chatBody({ model, request }: Asked, question: Question, target: QuestionTarget): Buffer[] {
  const { thinking } = target;
  const content: unknown[] = question.parts.map((part) =>
    part.type === "text"
      ? { type: "text", text: part.text }
      : { type: "image_url", image_url: { url: `${marker}${part.image}` } },
  );
  if (thinking.way === "instruction") content.push({ type: "text", text: thinking.text });
  const messages: unknown[] = [{ role: "user", content }];
  const start = (thinking.way === "prefill" ? thinking.text : "") + (question.prefill ?? "");
  const begun = start !== "" && target.prefill && thinking.way !== "thought" ? target.prefill : null;
  if (begun) messages.push({ role: "assistant", content: start });
  const own = {
    model,
    messages,
    ...(target.temperature === null ? {} : { temperature: target.temperature }),
    [target.maxTokens]:
      Math.max(question.maxTokens, target.leastTokens) + (thinking.way === "thought" ? thinking.tokens : 0),
    ...wanted(question.want, target),
    ...target.always,
    ...begun,
  };
  const { want } = question;
  // The user's temperature is not that at which several answers show the probabilities.
  const drawn =
    typeof want === "object" && "texts" in want ? { temperature: 1, ...seeded(request, want.seed) } : {};
  const json = JSON.stringify({ ...merged(own, request), ...drawn });
  // Every second piece is the number of an image.
  return json
    .split(markers)
    .map((piece, i) => (i % 2 === 0 ? Buffer.from(piece) : question.images[Number(piece)]!));
}

function wanted(want: Question["want"], { listed, thinking }: QuestionTarget): Record<string, unknown> {
  if (want === "text") return {};
  const most = thinking.way === "thought" ? Math.min(listed, listedInThoughts) : listed;
  if (want === "list") return { logprobs: true, top_logprobs: most };
  if ("texts" in want) return want.texts > 1 ? { n: want.texts } : {};
  return {
    logprobs: true,
    top_logprobs: Math.min(most, want.ids.length),
    logprob_token_ids: want.ids,
  };
}

/** The user's fields before LEAF's; where both are objects, such as `chat_template_kwargs`, key by key. */
function merged(own: Record<string, unknown>, request: Record<string, unknown>): Record<string, unknown> {
  const all = { ...own };
  for (const [key, value] of Object.entries(request))
    all[key] = isFields(value) && isFields(own[key]) ? { ...own[key], ...value } : value;
  return all;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The same seed would draw the same answer each time. */
function seeded({ seed }: Record<string, unknown>, more: number): { seed?: number } {
  return typeof seed === "number" ? { seed: seed + more } : {};
}
