import * as z from "zod";
import type { Text, TextValue } from "../../../protocol/text.ts";
import { figure } from "../../../words/figure.ts";
import { say } from "../../../words/text.ts";

const fields = z.record(z.string(), z.unknown());

/**
 * How a model that would think first is brought to its answer:
 * - `atOnce`: it needs no help; `unknown`: nothing helped
 * - `fields`: fields of the request turn thinking off
 * - `prefill`: a thought that is empty and closed is put in its mouth
 * - `instruction`: it is told not to think
 * - `thought`: it thinks, in so many tokens at most, and the probabilities are read behind it
 */
const thinking = z.discriminatedUnion("way", [
  z.strictObject({ way: z.literal("atOnce") }),
  z.strictObject({ way: z.literal("unknown"), mass: z.number() }),
  z.strictObject({ way: z.literal("fields"), fields }),
  z.strictObject({ way: z.literal("prefill"), text: z.string(), fields }),
  z.strictObject({ way: z.literal("instruction"), text: z.string() }),
  z.strictObject({ way: z.literal("thought"), tokens: z.int().min(1) }),
]);
export type Thinking = z.output<typeof thinking>;

const ids = z.array(z.int().min(0));

/** What one server can do, found out by asking it; kept in `.leaf/teachers`. */
export const capabilitiesSchema = z.strictObject({
  /** vLLM, llama.cpp, SGLang, …, or "server". */
  server: z.string(),
  /** Whether probabilities are read from lists of tokens, or estimated from several answers. */
  probabilities: z.enum(["logprobs", "sampling"]),
  /** `top_logprobs` that it takes. */
  listed: z.int().min(0),
  /** Whether it gives the log-probabilities of tokens chosen by id (vLLM): then the ids for each kind of question. */
  tokenIds: z.strictObject({ point: ids, pair: ids }).nullable(),
  /** Fields that make it go on with a trailing assistant message; null where it cannot. */
  prefill: fields.nullable(),
  /** Whether one message may hold two images; else they are shown side by side in one. */
  pairs: z.enum(["two", "canvas"]),
  /** Fields that every request needs here. */
  always: fields,
  /** How its token limit is called, and the least that it takes. */
  maxTokens: z.enum(["max_tokens", "max_completion_tokens"]),
  leastTokens: z.int().min(1),
  /** Null where it refuses the temperature 0. */
  temperature: z.literal(0).nullable(),
  thinking,
  /** Whether one request may ask for several answers. */
  choices: z.boolean(),
  /** Whether it says what a request cost. */
  usage: z.boolean(),
});
export type Capabilities = z.output<typeof capabilitiesSchema>;

/** What of it changes a label, and so who the teacher is; all left out where two images are shown to a model that answers at once. */
export interface Manner {
  instruction?: string;
  thinks?: number;
  probabilities?: "sampling";
  pairs?: "canvas";
}

export function mannerOf({ thinking, probabilities, pairs }: Capabilities): Manner {
  return {
    ...(thinking.way === "instruction" && { instruction: thinking.text }),
    ...(thinking.way === "thought" && { thinks: thinking.tokens }),
    ...(probabilities === "sampling" && { probabilities }),
    ...(pairs === "canvas" && { pairs }),
  };
}

/** One line for people. */
export function describe(found: Capabilities, where: string, samples: number): Text {
  const prefill = found.prefill ? say`prefill` : say`no prefill`;
  const images =
    found.pairs === "two"
      ? say`two images in a question`
      : say`one image a request: pairs are shown side by side`;
  const line = say`${found.server} at ${where}: ${probabilitiesOf(found, samples)}, ${prefill}, ${images}`;
  const thinks = describeThinking(found.thinking);
  return thinks === undefined ? line : say`${line}, ${thinks}`;
}

function probabilitiesOf({ probabilities, tokenIds, listed }: Capabilities, samples: number): Text {
  if (probabilities === "sampling") return say`no log-probabilities: estimated from ${samples} answers each`;
  return tokenIds
    ? say`exact probabilities of chosen tokens`
    : say`probabilities of the ${listed} likeliest tokens`;
}

function describeThinking(thinking: Thinking): TextValue | undefined {
  switch (thinking.way) {
    case "atOnce":
      return undefined;
    case "unknown":
      return say`only ${figure(thinking.mass, 2)} of its answer to a trial question is on the rating words`;
    case "fields":
      return say`thinking turned off by ${JSON.stringify(thinking.fields)}`;
    case "prefill":
      return say`thinking skipped by an empty thought (${JSON.stringify(thinking.text)})`;
    case "instruction":
      return say`told not to think (“${thinking.text}”)`;
    case "thought":
      return say`thinks first, in at most ${thinking.tokens} tokens`;
  }
}
