import { quoted, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { Capabilities } from "./capabilities.ts";
import { RequestFailure } from "./failures.ts";
import type { Question } from "./question.ts";
import { textOf, tokensOf } from "./tokens.ts";

/** `top_logprobs` to ask for: the first that the server takes. OpenAI and vLLM allow 20, some hosts 8 or 5. */
const listSizes = [500, 100, 20, 8, 5];
/** Where a server may break over a longer one, one of this length is worth all patience. */
const shortList = 20;

export type Draft = Pick<
  Capabilities,
  "listed" | "maxTokens" | "leastTokens" | "temperature" | "always" | "prefill" | "thinking"
>;

/** Sends a question as the draft has it; `once`: a failure that may pass is not tried again. */
export type Ask = (question: Question, once?: boolean) => Promise<unknown>;

/** What came of asking for log-probabilities. */
export type Listed =
  | { outcome: "listed"; completion: unknown }
  /** An answer, but no list. */
  | { outcome: "none"; completion: unknown; why: string }
  | { outcome: "refused"; why: RequestFailure };

/**
 * Asks the question with the longest list that the server takes, and adapts the draft to what it refuses. A server that breaks, or takes
 * too long, over a long list gets a shorter one.
 */
export async function negotiated(ask: Ask, draft: Draft, question: Question): Promise<Listed> {
  let refusal: RequestFailure | undefined;
  let broken: RequestFailure | undefined;
  const sizes = listSizes.filter((size) => size <= draft.listed);
  for (let at = 0; at < sizes.length; ) {
    draft.listed = sizes[at]!;
    const isLong = draft.listed > shortList;
    const last = at === sizes.length - 1;
    try {
      const completion = await ask(question, draft.listed !== shortList);
      const tokens = tokensOf(completion);
      if (typeof tokens !== "string") return { outcome: "listed", completion };
      if (textOf(completion) === undefined && isEmpty(completion))
        throw new RequestFailure("again", quoted(tokens));
      return { outcome: "none", completion, why: tokens };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      if (error.kind === "image") {
        refusal = error;
        if (adapted(draft, error.message)) continue;
      } else if (error.kind === "again") {
        broken = error;
        // One more try tells a hiccup from a list that is too long; nobody waits a time-out twice.
        if (isLong && !error.timedOut) {
          const again = await ask(question, true).catch(() => undefined);
          if (again !== undefined && typeof tokensOf(again) !== "string")
            return { outcome: "listed", completion: again };
        }
        // What fails however little it is asked for is away, and asked again later.
        if (last && !refusal && !(await answers(ask, question))) throw error;
      } else throw error;
      at++;
    }
  }
  return { outcome: "refused", why: refusal ?? broken! };
}

/** Without any list. */
async function answers(ask: Ask, question: Question): Promise<boolean> {
  return ask({ ...question, want: "text" }, true).then(
    () => true,
    () => false,
  );
}

function isEmpty(completion: unknown): boolean {
  const choices = (completion as { choices?: unknown } | null)?.choices;
  return !Array.isArray(choices) || choices.length === 0;
}

/** Whether what a server refuses is a field that it wants otherwise; the draft then has it so. */
export function adapted(draft: Draft, refusal: string): boolean {
  if (draft.maxTokens === "max_tokens" && /max_completion_tokens/.test(refusal)) {
    draft.maxTokens = "max_completion_tokens";
    return true;
  }
  if (draft.leastTokens === 1 && /max_\w*tokens/.test(refusal)) {
    const least = /(?:>=|at least|minimum(?: value)?(?: is| of)?[ :=]*)\s*(\d{1,4})\b/i.exec(refusal);
    draft.leastTokens = Math.max(1, Number(least?.[1] ?? 16));
    return draft.leastTokens > 1;
  }
  if (draft.temperature === 0 && /temperature/.test(refusal)) {
    draft.temperature = null;
    return true;
  }
  return false;
}

/** No way to the probabilities: why, and what may help. */
export function cannotJudge(where: string, listed: Listed, takesText: boolean): LeafError {
  if (listed.outcome !== "refused")
    return new LeafError("environment", say`${where} gives no log-probabilities of candidates.`, {
      remedy: say`Use a server that does: vLLM, SGLang or llama.cpp; or set \`teacher.probabilities: sampling\`, which asks several times.`,
    });
  const refusal = listed.why.words;
  return new LeafError(
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
