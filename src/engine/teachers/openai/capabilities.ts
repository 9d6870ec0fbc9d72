import type { Text } from "../../../protocol/text.ts";
import { say } from "../../../words/text.ts";
/** What one server can do, found out by asking it. */
export interface Capabilities {
  /** vLLM, llama.cpp, SGLang, …, or "server". */
  server: string;
  /** `top_logprobs` that it takes. */
  listed: number;
  /** Whether it gives the log-probabilities of tokens chosen by id (vLLM): then the ids for each kind of question. */
  tokenIds: { point: number[]; pair: number[] } | null;
  /** Fields that make it go on with a trailing assistant message; null where it cannot. */
  prefill: Record<string, unknown> | null;
  /** Whether one message may hold two images; else why not. */
  twoImages: true | string;
  /** Fields that every request needs here, such as how its token limit is called. */
  always: Record<string, unknown>;
  maxTokens: "max_tokens" | "max_completion_tokens";
  /** Whether it says what a request cost. */
  usage: boolean;
}

/** One line for people. */
export function describe(found: Capabilities, where: string): Text {
  const probabilities = found.tokenIds
    ? say`exact probabilities of chosen tokens`
    : say`probabilities of the ${found.listed} likeliest tokens`;
  const prefill = found.prefill ? say`prefill` : say`no prefill`;
  const images = found.twoImages === true ? say`two images in a question` : say`one image in a question`;
  return say`${found.server} at ${where}: ${probabilities}, ${prefill}, ${images}`;
}
