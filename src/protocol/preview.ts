/** What stands behind some judgements of a teacher: `leaf label --dry-run`. */
export interface DryRun {
  teacher: { kind: string; fingerprint: string; about: string | null };
  questions: DryRunQuestion[];
  /** The same questions in the words of another file, where one was named. */
  other?: Pick<DryRun, "teacher" | "questions"> & { file: string; comparison: PromptComparison };
}

/** Two prompts on the same images, by the questions that both have an answer to. */
export interface PromptComparison {
  /** Images that both have a score of. */
  images: number;
  /** Of their scores; null where it is not defined. */
  srcc: number | null;
  /** Mean absolute difference of these scores on 1..5. */
  difference: number | null;
  /** Questions about a pair that both have an answer to, each order by itself. */
  questions: number;
  /** Share of these with the same winner. */
  sameWinner: number | null;
  /** Mean probability on the answers. */
  mass: [number, number];
}

export interface DryRunQuestion {
  /** Relative paths, in the order they were shown: one, or two. */
  images: string[];
  /** What the model read, with ⟨image 1⟩ and ⟨image 2⟩ in the pictures' places. */
  prompt: string;
  /** The most probable tokens at the answer's place. */
  top: { token: string; probability: number }[];
  /** The possible answers, the tokens that counted for each, and their probability before normalising. */
  answers: { answer: string; tokens: string[]; probability: number }[];
  /** The sum over the answers; under 0.5 the judgement is not used. */
  mass: number;
  /** The label: a score on 5..1, or P(first better); null where the answer is not used. */
  label: { value: number; confidence: number } | null;
}

/** What is left to label, and what that takes. */
export interface LabelEstimate {
  images: number;
  /** Images, pairs and reasons that are not in the store yet. */
  missing: { points: number; pairs: number; reasons: number };
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** Null without a price in the config. */
  cost: { amount: number; currency: string } | null;
}
