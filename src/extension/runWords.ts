import type { RunSummary } from "../protocol/project.ts";
import type { Translate } from "../words/translate.ts";
import { changeWords } from "../words/why.ts";
import { ago, duration } from "./jobs/progress.ts";
import { escapeMarkdown } from "./markdown.ts";

const figure = (value: number | null) => (value === null ? "–" : value.toFixed(3));
const interval = (value: [number, number] | null) =>
  value ? ` [${value[0].toFixed(2)}, ${value[1].toFixed(2)}]` : "";

/** A run in one line: "SRCC 0.861 · PLCC 0.867 · 12 min ago". */
export function runDescription(run: RunSummary, now: number, t: Translate): string {
  return [...headline(run, t), ago(run.updated, now, t)].filter(Boolean).join(" · ");
}

function headline({ state, evaluation, agreement }: RunSummary, t: Translate): string[] {
  if (state === "running") return [t("running")];
  if (state === "failed") return [t("failed")];
  if (evaluation) return [`SRCC ${figure(evaluation.srcc)}`, `PLCC ${figure(evaluation.plcc)}`];
  if (agreement) return [t("agrees with teacher {0}", figure(agreement.srcc))];
  return state === "cancelled" ? [t("cancelled")] : [];
}

/** Markdown of a run's tooltip: every number with its n and interval. */
export function runTooltip(run: RunSummary, now: number, t: Translate): string {
  const { evaluation, agreement, changes, ratings, seconds, gitCommit, reason } = run;
  const lines = [`**${escapeMarkdown(run.id)}** · ${ago(run.updated, now, t)} · ${duration(seconds, t)}`];
  if (reason) lines.push(escapeMarkdown(reason));
  if (evaluation) {
    const { srcc, plcc, krcc, rmse, n, split, ci95 } = evaluation;
    lines.push(
      `SRCC ${figure(srcc)}${interval(ci95.srcc)}  \nPLCC ${figure(plcc)}${interval(ci95.plcc)}  \n` +
        `KRCC ${figure(krcc)} · RMSE ${rmse.toFixed(3)} · ${escapeMarkdown(split)}, n = ${n}`,
    );
  }
  if (agreement) lines.push(t("Agrees with teacher: SRCC {0}, n = {1}", figure(agreement.srcc), agreement.n));
  if (ratings !== null) lines.push(t("Human scores used: {0}", ratings));
  if (changes.length > 0)
    lines.push(
      `${t("Changed")}:\n${changes.map((one) => `- ${escapeMarkdown(changeWords(t, one))}`).join("\n")}`,
    );
  if (gitCommit) lines.push(`Git ${escapeMarkdown(gitCommit.slice(0, 8))}`);
  return lines.join("\n\n");
}

/** A run in a quick pick. */
export function runPick(
  run: RunSummary,
  now: number,
  t: Translate,
): { label: string; description: string; detail: string | undefined } {
  return {
    label: `${run.pinned ? "$(pinned) " : ""}${run.id}`,
    description: runDescription(run, now, t),
    detail: run.changes.length > 0 ? run.changes.map((one) => changeWords(t, one)).join(" · ") : undefined,
  };
}
