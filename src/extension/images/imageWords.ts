import { commandIds } from "../../protocol/commands.ts";
import type { ImageRow } from "../../protocol/images.ts";
import type { ProjectSnapshot, ScorerInfo } from "../../protocol/project.ts";
import type { Band, ImageView, KnownScore } from "../../protocol/server.ts";
import type { Translate } from "../../words/translate.ts";
import { commandLink, escapeMarkdown } from "../markdown.ts";

/** "3.62 / 5". */
export function scoreOf({ score, scale }: Pick<KnownScore, "score" | "scale">): string {
  return `${score.toFixed(2)} / ${short(scale[1])}`;
}

/** 5, 100, 4.5: no digits that say nothing. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Where a score lies between the worst (0) and the best (1) of its scale. */
export function goodness(score: number, scale: [number, number], lowerIsBetter: boolean): number {
  const [low, high] = scale;
  const share = high > low ? Math.min(1, Math.max(0, (score - low) / (high - low))) : 0.5;
  return lowerIsBetter ? 1 - share : share;
}

const bandNames = ["bad", "poor", "fair", "good", "excellent"] as const satisfies readonly Band["name"][];

/** The band of a score: cut half way between the five ratings. */
export function bandOf(score: number, scale: [number, number], lowerIsBetter: boolean): Band["name"] {
  return bandNames[Math.min(4, Math.floor(goodness(score, scale, lowerIsBetter) * 4 + 0.5))]!;
}

export function bandTitle(name: Band["name"], t: Translate): string {
  const titles = {
    bad: t("Bad"),
    poor: t("Poor"),
    fair: t("Fair"),
    good: t("Good"),
    excellent: t("Excellent"),
  };
  return titles[name];
}

/** "better than 71 % of photos". */
export function percentileWords(percentile: number, of: string, t: Translate): string {
  return t("better than {0} % of {1}", Math.round(percentile * 100), of);
}

/** Beside an image's name in the tree: "3.62 · renders/night". */
export function imageDescription(row: ImageRow): string {
  const folder = row.path.split("/").slice(0, -1).join("/");
  return [row.score?.toFixed(2), folder].filter(Boolean).join(" · ");
}

/** Tooltip of a decoration in the Explorer. */
export function decorationTooltip(known: KnownScore, t: Translate): string {
  if (known.percentile === null) return t("LEAF quality {0} ({1})", scoreOf(known), known.scorer);
  return t(
    "LEAF quality {0}, better than {1} % ({2})",
    scoreOf(known),
    Math.round(known.percentile * 100),
    known.scorer,
  );
}

/** Text of the status bar item for the open image. */
export function statusText({ row, scorer }: ImageView, t: Translate): string {
  return row.score === null ? t("not scored") : scoreOf({ score: row.score, scale: scorer.scale });
}

/** Markdown of its tooltip: never a number without what made it. */
export function statusTooltip(view: ImageView, t: Translate): string {
  const { row, project, scorer, mosRange } = view;
  const lines = [
    `**${escapeMarkdown(row.path)}** · ${row.width}×${row.height} · ${escapeMarkdown(row.format.toUpperCase())}`,
  ];
  if (row.score !== null) {
    const parts = [t("Quality {0}", scoreOf({ score: row.score, scale: scorer.scale }))];
    if (row.percentile !== null)
      parts.push(percentileWords(row.percentile, escapeMarkdown(project.imagesName), t));
    lines.push(`${parts.join(" · ")}  \n(${scorerTitle(scorer, t)})`);
  }
  if (row.teacher) {
    const who = row.teacher.human ? t("A person") : t("Teacher");
    lines.push(
      `${who} ${row.teacher.score.toFixed(2)} · ${t("confidence {0}", row.teacher.confidence.toFixed(2))}`,
    );
  }
  if (row.mos !== null)
    lines.push(
      `MOS ${row.mos.toFixed(2)}${mosRange ? ` (${short(mosRange[0])}–${short(mosRange[1])})` : ""}`,
    );
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
  const title = escapeMarkdown(scorer.title);
  return scorer.kind === "student" ? title : t("{0}; distill a student for your images", title);
}

/** Over the Images view: what gives these scores, and how far scoring is. */
export function scoringMessage({ scorer, scored }: ProjectSnapshot, t: Translate): string | undefined {
  if (!scorer) return undefined;
  if (scored.busy && scored.done < scored.total)
    return t(
      "Scoring {0} of {1} images …",
      scored.done.toLocaleString("en"),
      scored.total.toLocaleString("en"),
    );
  if (scorer.kind === "embedded" && scored.done > 0)
    return t("Scores of the embedded teacher. Distill a student for your images.");
  return undefined;
}
