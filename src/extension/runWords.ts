import type { RunSummary } from "../protocol/project.ts";
import { ago, duration } from "../words/duration.ts";
import { escapeMarkdown } from "../words/escape.ts";
import { count, figure, withInterval } from "../words/figure.ts";
import { headline, runHeadline } from "../words/headline.ts";
import { render } from "../words/text.ts";
import type { Translate } from "../words/translate.ts";
import { changeWords } from "../words/why.ts";

/** The runs of one config, or all of the folder, pinned ones first. */
export function shownRuns(runs: readonly RunSummary[], config: string | undefined): RunSummary[] {
  const shown = runs.filter((run) => config === undefined || run.config === config);
  return [...shown.filter(({ pinned }) => pinned), ...shown.filter(({ pinned }) => !pinned)];
}

export function fileNameOf(uri: string): string {
  return decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
}

/** A run in one line: "SRCC 0.861 [0.842, 0.879] · PLCC 0.867 · n = 120 · 12 min ago". */
export function runDescription(run: RunSummary, now: number, t: Translate): string {
  return [runHeadline(t, run), ago(t, run.updated, now)].filter(Boolean).join(" · ");
}

/** Markdown of a run's tooltip: every number with its n and interval. */
export function runTooltip(run: RunSummary, now: number, t: Translate): string {
  const { evaluation, agreement, changes, ratings, seconds, gitCommit, reason } = run;
  const lines = [`**${escapeMarkdown(run.id)}** · ${ago(t, run.updated, now)} · ${duration(t, seconds)}`];
  if (reason) lines.push(escapeMarkdown(render(reason, t)));
  if (evaluation) {
    const { srcc, plcc, krcc, rmse, n, split, ci95 } = evaluation;
    lines.push(
      `SRCC ${withInterval(srcc, ci95.srcc)}  \nPLCC ${withInterval(plcc, ci95.plcc)}  \n` +
        `KRCC ${figure(krcc)} · RMSE ${figure(rmse)} · ${escapeMarkdown(split)}, n = ${count(n)}`,
    );
  }
  if (agreement) lines.push(headline(t, "distill", { teacherAgreement: agreement }));
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
