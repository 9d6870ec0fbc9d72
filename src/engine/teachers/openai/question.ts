import type { PromptPart } from "../prompts.ts";
import type { Capabilities } from "./capabilities.ts";

/** One question to a model, before it is known who will answer it. */
export interface Question {
  parts: readonly PromptPart[];
  /** Data URLs, by the numbers in `parts`. */
  images: readonly string[];
  /** Start of the answer, put in the model's mouth. */
  prefill?: string | null;
  /** Tokens that the answer may have; 1 where only the first one's probabilities count. */
  maxTokens: number;
  /** What is wanted: the likeliest tokens, tokens by their ids, or the text alone. */
  want: "list" | { ids: readonly number[] } | "text";
}

export type QuestionTarget = Pick<Capabilities, "listed" | "maxTokens" | "always" | "prefill">;

/**
 * The body of a chat completion. Temperature 0 picks the likeliest token; the listed probabilities are those of the model itself, before any
 * sampling, on all servers. No grammar: vLLM would list the probabilities under it.
 */
export function chatBody(model: string, question: Question, target: QuestionTarget): string {
  const content = question.parts.map((part) =>
    part.type === "text"
      ? { type: "text", text: part.text }
      : { type: "image_url", image_url: { url: question.images[part.image] } },
  );
  const messages: unknown[] = [{ role: "user", content }];
  const begun = question.prefill && target.prefill ? target.prefill : {};
  if (question.prefill && target.prefill) messages.push({ role: "assistant", content: question.prefill });
  const { want } = question;
  const logprobs =
    want === "text"
      ? {}
      : want === "list"
        ? { logprobs: true, top_logprobs: target.listed }
        : {
            logprobs: true,
            top_logprobs: Math.min(target.listed, want.ids.length),
            logprob_token_ids: want.ids,
          };
  return JSON.stringify({
    model,
    messages,
    temperature: 0,
    [target.maxTokens]: question.maxTokens,
    ...logprobs,
    ...target.always,
    ...begun,
  });
}
