import type { DryRun, DryRunQuestion, LabelEstimate } from "../protocol/preview.ts";
import { count, figure, money, percent } from "../words/figure.ts";
import { confidenceText, fiveScale, scoreText } from "../words/score.ts";
import { english } from "../words/translate.ts";

/** A dry run as people read it in a terminal. */
export function dryRunText(run: DryRun): string {
  if (!run.other) return oneRunText(run);
  const { file, comparison: c } = run.other;
  const optional = (value: number | null) => (value === null ? "–" : figure(value, 2));
  return [
    oneRunText(run),
    `${file}: ${oneRunText(run.other)}`,
    [
      "both prompts",
      `  ${c.images} images: SRCC ${optional(c.srcc)}, scores ${optional(c.difference)} apart on average`,
      `  ${c.questions} questions about pairs: same winner ${c.sameWinner === null ? "–" : percent(c.sameWinner)}`,
      `  mean probability on the answers: ${percent(c.mass[0], 1)} and ${percent(c.mass[1], 1)}`,
    ].join("\n"),
  ].join("\n\n");
}

function oneRunText({ teacher, questions }: Pick<DryRun, "teacher" | "questions">): string {
  const head = `${teacher.kind} teacher${teacher.about ? `: ${teacher.about}` : ""}`;
  return [head, ...questions.map(questionText)].join("\n\n");
}

function questionText({ images, prompt, top, answers, mass, label }: DryRunQuestion): string {
  const share = (p: number) => percent(p, 2).padStart(9);
  const lines = [
    images.join("  against  "),
    ...prompt.split("\n").map((line) => `  │ ${line}`),
    "  top tokens",
    ...top.slice(0, 10).map(({ token, probability }) => `  ${share(probability)}  ${JSON.stringify(token)}`),
    "  answers",
    ...answers.map(
      ({ answer, tokens, probability }) =>
        `  ${share(probability)}  ${answer}${tokens.length > 0 ? `  (${tokens.map((t) => JSON.stringify(t)).join(" + ")})` : ""}`,
    ),
    `  ${share(mass)}  of the answer is on these`,
    `  label: ${labelText(images, label)}`,
  ];
  return lines.join("\n");
}

function labelText(images: string[], label: DryRunQuestion["label"]): string {
  if (!label) return "none: the teacher did not follow the prompt";
  const confidence = confidenceText(english, label.confidence);
  if (images.length === 1) return `score ${scoreText(english, label.value, fiveScale)}, ${confidence}`;
  return `${images[0]} is better with probability ${figure(label.value)}, ${confidence}`;
}

export function estimateText({ images, missing, ...estimate }: LabelEstimate): string {
  const reasons = missing.reasons > 0 ? `, ${count(missing.reasons)} reasons` : "";
  const lines = [
    `${count(images)} images; to label: ${count(missing.points)} images, ${count(missing.pairs)} pairs${reasons}`,
  ];
  if (estimate.requests > 0) {
    const cost = estimate.cost ? `, about ${money(estimate.cost)}` : "";
    lines.push(
      `${count(estimate.requests)} requests, about ${count(estimate.inputTokens)} input and ${count(estimate.outputTokens)} output tokens${cost}`,
    );
  }
  return lines.join("\n");
}
