import { RequestFailure } from "./failures.ts";
import type { Ask, Draft } from "./negotiate.ts";
import { usageOf } from "./tokens.ts";

/**
 * How the server is made to go on with a begun answer. Shown by the length of the prompt: a prefill of n tokens makes it as much
 * longer as the same text at the question's end does; a finished turn would add its marks as well.
 */
export async function prefillOf(ask: Ask, draft: Draft): Promise<Record<string, unknown> | null> {
  // Shown by the answer already; behind a thought nothing can be begun.
  if (draft.thinking.way === "prefill") return draft.thinking.fields;
  if (draft.thinking.way === "thought" || draft.listed === 0) return null;
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
