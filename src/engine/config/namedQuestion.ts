/** What `prompts.question` may be. */
export const questions = ["quality", "aesthetics", "alignment"] as const;
export type Question = (typeof questions)[number];

/** Words of a column's name that say nothing of what it holds. */
const filling = /\b(?:mos|dmos|scores?|mean|human|text|image)\b/g;
const known: Record<Question, RegExp> = {
  quality: /^(?:quality|overall quality)$/,
  aesthetics: /^(?:a?esthetics?|beauty)$/,
  alignment: /^(?:align(?:ment)?)$/,
};

/** The question of LEAF's own that a target's name stands for: `mos_align` is alignment. */
export function questionOf(target: string): Question | undefined {
  const spaced = target
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .replace(filling, "")
    .trim();
  return questions.find((question) => known[question].test(spaced));
}
