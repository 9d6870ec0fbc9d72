import { minRatingMass } from "../judgement.ts";
import { readAnswers } from "./answers.ts";
import type { Thinking } from "./capabilities.ts";
import { RequestFailure } from "./failures.ts";
import type { Ask, Draft } from "./negotiate.ts";
import type { Question } from "./question.ts";
import { tokensIn } from "./thinking.ts";

/** A model with less of its answer on the rating words would think first, or talk. */
const littleMass = 0.25;
/** Tokens that a thought may have. */
const thoughtTokens = 2048;

/** Fields that turn thinking off, by whose they are. A template or server that knows one of another ignores it, or refuses it. */
const switches: Record<string, unknown>[] = [
  // Qwen3, InternVL 3.5, GLM-4.5V; DeepSeek, Granite and Kimi.
  { chat_template_kwargs: { enable_thinking: false } },
  { chat_template_kwargs: { thinking: false } },
  // Ollama, OpenAI, OpenRouter.
  { reasoning_effort: "none" },
  { reasoning_effort: "minimal" },
  // DashScope; Z.ai, Moonshot and Anthropic.
  { enable_thinking: false },
  { thinking: { type: "disabled" } },
];

const emptyThought = "<think>\n\n</think>\n\n";
/** Qwen's own word for it, and everybody's. */
const instruction = "Do not think or explain. Answer at once. /no_think";

/** Ways to an answer, in the order in which they are tried: those that cost nothing and change no word of the question come first. */
function waysOut(): Thinking[] {
  return [
    ...switches.map((fields): Thinking => ({ way: "fields", fields })),
    ...[{ add_generation_prompt: false, continue_final_message: true }, {}].map(
      (fields): Thinking => ({ way: "prefill", text: emptyThought, fields }),
    ),
    { way: "instruction", text: instruction },
    { way: "thought", tokens: thoughtTokens },
  ];
}

/** How much of a listed answer is on the rating words. */
export function listedShare(completion: unknown, words: readonly string[], { thinking }: Draft): number {
  const tokens = tokensIn(completion, thinking);
  return typeof tokens === "string" ? 0 : readAnswers(tokens, words).mass;
}

/**
 * Where little of the answer is on the rating words, the first way that brings the model to them goes into the draft. Its completion, or
 * undefined where none was needed or helped: the draft tells which.
 */
export async function brought(
  ask: Ask,
  draft: Draft,
  question: Question,
  share: (completion: unknown) => number,
  found: number,
): Promise<unknown> {
  if (found >= littleMass) return undefined;
  const { always, prefill } = draft;
  for (const thinking of waysOut()) {
    Object.assign(draft, { thinking, always, prefill });
    if (thinking.way === "fields") draft.always = { ...always, ...thinking.fields };
    if (thinking.way === "prefill") draft.prefill = thinking.fields;
    try {
      const completion = await ask(question, true);
      if (share(completion) >= minRatingMass) return completion;
    } catch (error) {
      // It does not know this way, or breaks over it.
      if (!(error instanceof RequestFailure && (error.kind === "image" || error.kind === "again")))
        throw error;
    }
  }
  Object.assign(draft, { thinking: { way: "unknown", mass: found }, always, prefill });
  return undefined;
}
