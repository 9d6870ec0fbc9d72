import { displayName, type ImageFormat } from "../../engine/images/format.ts";
import { ratingWords } from "../../engine/teachers/judgement.ts";
import { commandIds } from "../../protocol/commands.ts";
import type { ImageRow, PointView, TargetView } from "../../protocol/images.ts";
import type { ScorerInfo } from "../../protocol/project.ts";
import type { ImageView } from "../../protocol/server.ts";
import { commandLink, escapeMarkdown, markdownTarget } from "../../words/escape.ts";
import { bytes } from "../../words/figure.ts";
import { betterThan, confidenceText, fiveScale, mosText, scoreFigure, scoreText } from "../../words/score.ts";
import { t, worded } from "../locale.ts";

/**
 * The hover of an image as Markdown, for a client that trusts LEAF's commands and no others. Text that comes from files and
 * configs is escaped: it makes no link, picture or command.
 */
export function imageHover(
  { row, project, scorer, mosRange, heat }: ImageView,
  /** The editor shows the picture itself. */
  pictured = false,
): string {
  const lines = [
    `${escapeMarkdown(nameOf(row.path))} · ${row.width}×${row.height} · ${formatOf(row.format)} · ${bytes(row.size)}`,
    qualityLine(row, scorer),
    ...(row.far ? [`⚠ ${t("Unlike the images it was distilled on: do not rely on this score")}`] : []),
    ...(row.targets ?? []).map(targetLine),
    ...(row.teacher ? [teacherLine(row.teacher)] : []),
    ...(row.teacher?.reason ? [t("“{0}” (the teacher's words)", escapeMarkdown(row.teacher.reason))] : []),
    ...(row.mos === null ? [] : [`MOS ${mosText(t, row, mosRange ?? fiveScale)}`]),
    `${commandLink(t("Open in IQA panel"), commandIds.openPanel, project.config, "gallery", { hash: row.hash })} · ${commandLink(t("Rescore"), commandIds.score, row.uri)}`,
  ];
  const text = lines.join("  \n");
  const pictures = [pictured ? null : row.thumbnail, heat].flatMap((uri) =>
    uri ? [`![](${markdownTarget(uri)}|${pictureSize(row)})`] : [],
  );
  // Below the words: what is asked for is seen without scrolling.
  return pictures.length === 0 ? text : `${text}\n\n${pictures.join(" ")}`;
}

/** At most 160 × 120 px, so that a portrait leaves room for the words. */
function pictureSize({ width, height }: ImageRow): string {
  const scale = Math.min(160 / width, 120 / height);
  return `width=${Math.max(1, Math.round(width * scale))},height=${Math.max(1, Math.round(height * scale))}`;
}

/** A score with what made it: never one without the other. */
function qualityLine({ score, sd, rank }: ImageRow, scorer: ScorerInfo): string {
  const by =
    scorer.kind === "embedded"
      ? t("embedded teacher, blind to content; distill a student for your images")
      : escapeMarkdown(worded(scorer.title));
  if (score === null) return t("Quality not known yet ({0})", by);
  const direction = scorer.lowerIsBetter ? `, ${t("lower is better")}` : "";
  const place = rank === null ? "" : ` · ${betterThan(t, rank)}`;
  return `${t("Quality {0}", `**${scoreText(t, score, scorer.scale, sd)}**`)}${direction}${place} (${by})`;
}

/** "sharpness **3.62 / 5** · MOS 3.40 / 5". */
function targetLine({ name, score, sd, mos, scale, lowerIsBetter }: TargetView): string {
  const quality = score === null ? t("not scored yet") : `**${scoreText(t, score, scale, sd)}**`;
  const direction = score !== null && lowerIsBetter ? `, ${t("lower is better")}` : "";
  const human = mos === null ? "" : ` · MOS ${mosText(t, { mos }, scale)}`;
  return `${escapeMarkdown(name)} ${quality}${direction}${human}`;
}

function teacherLine({ score, probabilities, confidence, human }: PointView): string {
  if (human) return t("Teacher overruled by a person: {0}", scoreFigure(score, fiveScale));
  const words = probabilities ? ` · ${bars(probabilities)}` : "";
  return `${t("Teacher {0}", scoreFigure(score, fiveScale))}${words} · ${confidenceText(t, confidence)}`;
}

const blocks = "▁▂▃▄▅▆▇█";

/** The five probabilities as small bars: "excellent ▁ good ▆ …". */
export function bars(probabilities: readonly number[]): string {
  return ratingWords
    .map((word, i) => {
      const share = Math.min(1, Math.max(0, probabilities[i] ?? 0));
      return `${t(word)} ${blocks[Math.round(share * (blocks.length - 1))]}`;
    })
    .join(" ");
}

function formatOf(format: string): string {
  return displayName(format as ImageFormat) ?? escapeMarkdown(format);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
