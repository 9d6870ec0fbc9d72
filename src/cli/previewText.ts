import type { DryRun, DryRunQuestion, LabelEstimate } from "../protocol/preview.ts";

/** A dry run as people read it in a terminal. */
export function dryRunText({ teacher, questions }: DryRun): string {
  const head = `${teacher.kind} teacher${teacher.about ? `: ${teacher.about}` : ""}`;
  return [head, ...questions.map(questionText)].join("\n\n");
}

function questionText({ images, prompt, top, answers, mass, label }: DryRunQuestion): string {
  const percent = (p: number) => `${(100 * p).toFixed(2)} %`.padStart(9);
  const lines = [
    images.join("  against  "),
    ...prompt.split("\n").map((line) => `  │ ${line}`),
    "  top tokens",
    ...top
      .slice(0, 10)
      .map(({ token, probability }) => `  ${percent(probability)}  ${JSON.stringify(token)}`),
    "  answers",
    ...answers.map(
      ({ answer, tokens, probability }) =>
        `  ${percent(probability)}  ${answer}${tokens.length > 0 ? `  (${tokens.map((t) => JSON.stringify(t)).join(" + ")})` : ""}`,
    ),
    `  ${percent(mass)}  of the answer is on these`,
    `  label: ${labelText(images, label)}`,
  ];
  return lines.join("\n");
}

function labelText(images: string[], label: DryRunQuestion["label"]): string {
  if (!label) return "none: the teacher did not follow the prompt";
  const confidence = `confidence ${label.confidence.toFixed(2)}`;
  if (images.length === 1) return `score ${label.value.toFixed(2)} of 5, ${confidence}`;
  return `${images[0]} is better with probability ${label.value.toFixed(3)}, ${confidence}`;
}

export function estimateText({ images, missing, ...estimate }: LabelEstimate): string {
  const count = new Intl.NumberFormat("en");
  const reasons = missing.reasons > 0 ? `, ${count.format(missing.reasons)} reasons` : "";
  const lines = [
    `${count.format(images)} images; to label: ${count.format(missing.points)} images, ${count.format(missing.pairs)} pairs${reasons}`,
  ];
  if (estimate.requests > 0) {
    const cost = estimate.cost ? `, about ${estimate.cost.amount.toFixed(2)} ${estimate.cost.currency}` : "";
    lines.push(
      `${count.format(estimate.requests)} requests, about ${count.format(estimate.inputTokens)} input and ${count.format(estimate.outputTokens)} output tokens${cost}`,
    );
  }
  return lines.join("\n");
}
