import { commandIds } from "../../protocol/commands.ts";
import type { ImageRow } from "../../protocol/images.ts";
import type { ProjectSnapshot, ScorerInfo } from "../../protocol/project.ts";
import type { ImageView, KnownScore } from "../../protocol/server.ts";
import { commandLink, escapeMarkdown } from "../../words/escape.ts";
import { count, type Range } from "../../words/figure.ts";
import { betterThan, confidenceText, fiveScale, mosText, scoreFigure, scoreText } from "../../words/score.ts";
import { render } from "../../words/text.ts";
import type { Translate } from "../../words/translate.ts";

/** Beside an image's name in the tree: "3.62 · renders/night". */
export function imageDescription({ path, score }: ImageRow, scale: Range): string {
  const folder = path.split("/").slice(0, -1).join("/");
  return [score === null ? "" : scoreFigure(score, scale), folder].filter(Boolean).join(" · ");
}

/** Tooltip of a decoration in the Explorer. */
export function decorationTooltip({ score, scale, rank, scorer }: KnownScore, t: Translate): string {
  const parts = [scoreText(t, score, scale), rank === null ? "" : betterThan(t, rank)];
  return t("LEAF quality {0} ({1})", parts.filter(Boolean).join(", "), render(scorer, t));
}

/** Text of the status bar item for the open image. */
export function statusText({ row, scorer }: ImageView, t: Translate): string {
  return row.score === null ? t("not scored") : scoreText(t, row.score, scorer.scale);
}

/** Markdown of its tooltip: never a number without what made it. */
export function statusTooltip(view: ImageView, t: Translate): string {
  const { row, project, scorer, mosRange } = view;
  const lines = [
    `**${escapeMarkdown(row.path)}** · ${row.width}×${row.height} · ${escapeMarkdown(row.format.toUpperCase())}`,
  ];
  if (row.score !== null) {
    const parts = [t("Quality {0}", scoreText(t, row.score, scorer.scale, row.sd))];
    if (row.rank !== null) parts.push(betterThan(t, row.rank));
    lines.push(`${parts.join(" · ")}  \n(${scorerTitle(scorer, t)})`);
  }
  if (row.teacher) {
    const who = row.teacher.human ? t("A person") : t("Teacher");
    lines.push(
      `${who} ${scoreFigure(row.teacher.score, fiveScale)} · ${confidenceText(t, row.teacher.confidence)}`,
    );
  }
  if (row.mos !== null) lines.push(`MOS ${mosText(t, row, mosRange ?? fiveScale)}`);
  lines.push(
    [
      commandLink(t("Open in IQA panel"), commandIds.openPanel, project.config, "gallery", {
        hash: row.hash,
      }),
      commandLink(t("Rescore"), commandIds.score, row.uri),
    ].join(" · "),
  );
  return lines.join("\n\n");
}

function scorerTitle(scorer: ScorerInfo, t: Translate): string {
  const title = escapeMarkdown(render(scorer.title, t));
  return scorer.kind === "student" ? title : t("{0}; distill a student for your images", title);
}

/** Over the Images view: what gives these scores, and how far scoring is. */
export function scoringMessage({ scorer, scored }: ProjectSnapshot, t: Translate): string | undefined {
  if (!scorer) return undefined;
  if (scored.busy && scored.done < scored.total)
    return t("Scoring {0} of {1} images …", count(scored.done), count(scored.total));
  if (scorer.kind === "embedded" && scored.done > 0)
    return t("Scores of the embedded teacher. Distill a student for your images.");
  return undefined;
}
