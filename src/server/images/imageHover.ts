import { displayName, type ImageFormat } from "../../engine/images/format.ts";
import { ratingWords } from "../../engine/teachers/judgement.ts";
import { commandIds } from "../../protocol/commands.ts";
import type { ImageRow, PointView } from "../../protocol/images.ts";
import type { ScorerInfo } from "../../protocol/project.ts";
import type { ImageView } from "../../protocol/server.ts";
import { commandLink, escapeMarkdown, markdownTarget } from "../../words/escape.ts";
import { bytes } from "../../words/figure.ts";
import { betterThan, confidenceText, fiveScale, mosText, scoreFigure, scoreText } from "../../words/score.ts";
import { english } from "../../words/translate.ts";

/**
 * The hover of an image as Markdown, for a client that trusts LEAF's commands and no others. Text that comes from files and
 * configs is escaped: it makes no link, picture or command.
 */
export function imageHover({ row, project, scorer, mosRange, heat }: ImageView): string {
  const lines = [
    `${escapeMarkdown(nameOf(row.path))} · ${row.width}×${row.height} · ${formatOf(row.format)} · ${bytes(row.size)}`,
    qualityLine(row, project.imagesName, scorer),
    ...(row.far ? ["⚠ Unlike the images it was distilled on: do not rely on this score"] : []),
    ...(row.teacher ? [teacherLine(row.teacher)] : []),
    ...(row.teacher?.reason ? [`“${escapeMarkdown(row.teacher.reason)}” (the teacher's words)`] : []),
    ...(row.mos === null ? [] : [`MOS ${mosText(english, row, mosRange ?? fiveScale)}`]),
    `${commandLink("Open in IQA panel", commandIds.openPanel, project.config, "gallery", { hash: row.hash })} · ${commandLink("Rescore", commandIds.score, row.uri)}`,
  ];
  const text = lines.join("  \n");
  const pictures = [row.thumbnail, heat].flatMap((uri) =>
    uri ? [`![](${markdownTarget(uri)}|width=160)`] : [],
  );
  return pictures.length === 0 ? text : `${pictures.join(" ")}\n\n${text}`;
}

/** A score with what made it: never one without the other. */
function qualityLine({ score, percentile }: ImageRow, imagesName: string, scorer: ScorerInfo): string {
  const by =
    scorer.kind === "embedded"
      ? "embedded teacher, blind to content; distill a student for your images"
      : escapeMarkdown(scorer.title);
  if (score === null) return `Quality not known yet (${by})`;
  const direction = scorer.lowerIsBetter ? ", lower is better" : "";
  const rank = percentile === null ? "" : ` · ${betterThan(english, percentile, escapeMarkdown(imagesName))}`;
  return `Quality **${scoreText(english, score, scorer.scale)}**${direction}${rank} (${by})`;
}

function teacherLine({ score, probabilities, confidence, human }: PointView): string {
  if (human) return `Teacher overruled by a person: ${scoreFigure(score, fiveScale)}`;
  const words = probabilities ? ` · ${bars(probabilities)}` : "";
  return `Teacher ${scoreFigure(score, fiveScale)}${words} · ${confidenceText(english, confidence)}`;
}

const blocks = "▁▂▃▄▅▆▇█";

/** The five probabilities as small bars: "excellent ▁ good ▆ …". */
export function bars(probabilities: readonly number[]): string {
  return ratingWords
    .map((word, i) => {
      const share = Math.min(1, Math.max(0, probabilities[i] ?? 0));
      return `${word} ${blocks[Math.round(share * (blocks.length - 1))]}`;
    })
    .join(" ");
}

function formatOf(format: string): string {
  return displayName(format as ImageFormat) ?? escapeMarkdown(format);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
