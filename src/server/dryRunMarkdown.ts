import { escapeMarkdown } from "../engine/report/markdown.ts";
import type { DryRun, DryRunQuestion } from "../protocol/preview.ts";

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
    tableOf(
      ["answer", "probability", "tokens"],
      answers.map(({ answer, probability, tokens }) => [
        escapeMarkdown(answer),
        percent(probability),
        tokens.map(visible).join(" + ") || "–",
      ]),
    ),
    "### Most probable tokens",
    tableOf(
      ["token", "probability"],
      top.slice(0, 20).map(({ token, probability }) => [visible(token), percent(probability)]),
    ),
  ].join("\n\n");
}

function labelLine(images: string[], label: DryRunQuestion["label"], mass: number): string {
  const followed = `${percent(mass)} of the answer is on the words asked for`;
  if (!label) return `**No label**: the teacher did not follow the prompt; ${followed}.`;
  const what =
    images.length === 1
      ? `Score **${label.value.toFixed(2)}** / 5`
      : `P(first is better) **${label.value.toFixed(3)}**`;
  return `${what} · confidence ${label.confidence.toFixed(2)} · ${followed}`;
}

function percent(p: number): string {
  return `${(100 * p).toFixed(2)} %`;
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

function tableOf(header: string[], rows: string[][]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
