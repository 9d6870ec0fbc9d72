import { fold } from "./answers.ts";
import type { Thinking } from "./capabilities.ts";
import { type ListedToken, type Position, positionsOf, tokensOf } from "./tokens.ts";

/** Where a thought ends: tags of most models, Mistral's, and Harmony's channel of the answer. */
const thoughtEnd =
  /<\/(?:think|thinking|thought|reasoning|seed:think)>|\[\/THINK\]|<\|channel\|>final<\|message\|>|◁\/think▷/gi;
/** What may stand before the answer's word. */
const beforeAnswer = /^(?:[\s*_"'“”`#:>▁Ġ.-]|<\|[^|]*\|>)*$/u;

/** The answer behind a thought. */
export function withoutThought(text: string): string {
  const ends = [...text.matchAll(thoughtEnd)];
  const last = ends.at(-1);
  return last ? text.slice(last.index + last[0].length) : text;
}

/**
 * The candidates at the position where the answer begins, behind the thought; the reason as a string where it does not come to one. A thought
 * ends with its tag, or where the server has put it into a field of its own: then the message's text is the answer.
 */
export function tokensBehindThought(completion: unknown, limit: number): ListedToken[] | string {
  const positions = positionsOf(completion);
  if (typeof positions === "string") return positions;
  // Without a tag, and not cut off: it began its answer at once, maybe after a line's end.
  const start = answerStart(positions, answerText(completion)) ?? (isCut(completion) ? undefined : 0);
  const at =
    start === undefined ? -1 : positions.findIndex((one, i) => i >= start && !beforeAnswer.test(one.token));
  const found = positions[at];
  if (found && found.tokens.length > 0) return found.tokens;
  return `its thought did not end within ${limit} tokens`;
}

function answerStart(positions: readonly Position[], answer: string | undefined): number | undefined {
  const starts: number[] = [];
  let text = "";
  for (const { token } of positions) {
    starts.push(text.length);
    text += token;
  }
  const tag = [...text.matchAll(thoughtEnd)].at(-1);
  const where = tag ? tag.index + tag[0].length : answer === undefined ? undefined : text.lastIndexOf(answer);
  if (where === undefined || where < 0) return undefined;
  const at = starts.findIndex((start) => start >= where);
  return at < 0 ? undefined : at;
}

function isCut(completion: unknown): boolean {
  return (completion as { choices?: { finish_reason?: unknown }[] }).choices?.[0]?.finish_reason === "length";
}

/** The message's text, where its thought is not in it. */
function answerText(completion: unknown): string | undefined {
  const message = (completion as { choices?: { message?: Record<string, unknown> }[] }).choices?.[0]?.message;
  const apart = message?.reasoning_content ?? message?.reasoning ?? message?.thinking;
  const text = typeof message?.content === "string" ? message.content.trim() : "";
  return typeof apart === "string" && apart !== "" && text !== "" ? text : undefined;
}

/** Which of some answers a text begins with, as a word of its own; −1 for none. */
export function answerIn(text: string, answers: readonly string[]): number {
  const said = fold(withoutThought(text)).replace(/^(?:[\s*_"'“”`#:>([.-]|<\|[^|]*\|>)+/u, "");
  return answers.findIndex((answer) => {
    const wanted = fold(answer);
    return said.startsWith(wanted) && !/^[\p{L}\p{N}]/u.test(said.slice(wanted.length));
  });
}

/** The candidates at the position of the answer. */
export function tokensIn(completion: unknown, thinking: Thinking) {
  return thinking.way === "thought" ? tokensBehindThought(completion, thinking.tokens) : tokensOf(completion);
}
