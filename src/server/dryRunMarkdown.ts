import type { DryRun, DryRunQuestion } from "../protocol/preview.ts";
import { escapeMarkdown, markdownTable } from "../words/escape.ts";
import { figure, percent } from "../words/figure.ts";
import { confidenceText, fiveScale, scoreText } from "../words/score.ts";
import { t } from "./locale.ts";

/** A dry run as a document. File names, prompts and tokens are shown as they are: they make no link, picture or HTML. */
export function dryRunMarkdown({ teacher, questions }: DryRun): string {
  const about = teacher.about ? `\n\n${escapeMarkdown(teacher.about)}` : "";
  return [
    `# ${t("Dry run of the {0} teacher", escapeMarkdown(teacher.kind))}${about}`,
    ...questions.map(questionMarkdown),
  ].join("\n\n");
}

function questionMarkdown({ images, prompt, top, answers, mass, label }: DryRunQuestion): string {
  return [
    `## ${images.map(escapeMarkdown).reduce((a, b) => t("{0} against {1}", a, b))}`,
    labelLine(images, label, mass),
    `### ${t("Prompt")}`,
    fenced(prompt),
    `### ${t("Answers")}`,
    markdownTable(
      [t("answer"), t("probability"), t("tokens")],
      answers.map(({ answer, probability, tokens }) => [
        escapeMarkdown(answer),
        percent(probability, 2),
        tokens.map(visible).join(" + ") || "–",
      ]),
    ),
    `### ${t("Most probable tokens")}`,
    markdownTable(
      [t("token"), t("probability")],
      top.slice(0, 20).map(({ token, probability }) => [visible(token), percent(probability, 2)]),
    ),
  ].join("\n\n");
}

function labelLine(images: string[], label: DryRunQuestion["label"], mass: number): string {
  const followed = t("{0} of the answer is on the words asked for", percent(mass, 2));
  if (!label) return `**${t("No label")}**: ${t("the teacher did not follow the prompt")}; ${followed}.`;
  const what =
    images.length === 1
      ? `Score **${scoreText(t, label.value, fiveScale)}**`
      : `P(first is better) **${figure(label.value)}**`;
  return `${what} · ${confidenceText(t, label.confidence)} · ${followed}`;
}

/** A leading space is part of a token, and has to be seen. */
function visible(token: string): string {
  return token === "" ? `*${t("empty")}*` : escapeMarkdown(token.replaceAll(" ", "␣").replaceAll("\n", "⏎"));
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
