import type { DryRun, DryRunQuestion } from "../protocol/preview.ts";
import { escapeMarkdown, markdownTable } from "../words/escape.ts";
import { figure, percent } from "../words/figure.ts";
import { confidenceText, fiveScale, scoreText } from "../words/score.ts";
import { english } from "../words/translate.ts";

/** A dry run as a document. File names, prompts and tokens are shown as they are: they make no link, picture or HTML. */
export function dryRunMarkdown({ teacher, questions }: DryRun): string {
  const about = teacher.about ? `\n\n${escapeMarkdown(teacher.about)}` : "";
  return [
    `# Dry run of the ${escapeMarkdown(teacher.kind)} teacher${about}`,
    ...questions.map(questionMarkdown),
  ].join("\n\n");
}

function questionMarkdown({ images, prompt, top, answers, mass, label }: DryRunQuestion): string {
  return [
    `## ${images.map(escapeMarkdown).join(" against ")}`,
    labelLine(images, label, mass),
    "### Prompt",
    fenced(prompt),
    "### Answers",
    markdownTable(
      ["answer", "probability", "tokens"],
      answers.map(({ answer, probability, tokens }) => [
        escapeMarkdown(answer),
        percent(probability, 2),
        tokens.map(visible).join(" + ") || "–",
      ]),
    ),
    "### Most probable tokens",
    markdownTable(
      ["token", "probability"],
      top.slice(0, 20).map(({ token, probability }) => [visible(token), percent(probability, 2)]),
    ),
  ].join("\n\n");
}

function labelLine(images: string[], label: DryRunQuestion["label"], mass: number): string {
  const followed = `${percent(mass, 2)} of the answer is on the words asked for`;
  if (!label) return `**No label**: the teacher did not follow the prompt; ${followed}.`;
  const what =
    images.length === 1
      ? `Score **${scoreText(english, label.value, fiveScale)}**`
      : `P(first is better) **${figure(label.value)}**`;
  return `${what} · ${confidenceText(english, label.confidence)} · ${followed}`;
}

/** A leading space is part of a token, and has to be seen. */
function visible(token: string): string {
  return token === "" ? "*empty*" : escapeMarkdown(token.replaceAll(" ", "␣").replaceAll("\n", "⏎"));
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
