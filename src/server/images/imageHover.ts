import { displayName, type ImageFormat } from "../../engine/images/format.ts";
import { escapeMarkdown } from "../../engine/report/markdown.ts";
import { ratingWords } from "../../engine/teachers/judgement.ts";
import { commandIds } from "../../protocol/commands.ts";
import type { ImageRow, PointView } from "../../protocol/images.ts";
import type { ScorerInfo } from "../../protocol/project.ts";
import type { ImageView } from "../../protocol/server.ts";

/**
 * The hover of an image as Markdown, for a client that trusts LEAF's commands and no others. Text that comes from files and
 * configs is escaped: it makes no link, picture or command.
 */
export function imageHover({ row, project, scorer, mosRange, heat }: ImageView): string {
  const lines = [
    `${escapeMarkdown(nameOf(row.path))} · ${row.width}×${row.height} · ${formatOf(row.format)} · ${sizeOf(row.size)}`,
    qualityLine(row, project.imagesName, scorer),
    ...(row.far ? ["⚠ Unlike the images it was distilled on: do not rely on this score"] : []),
    ...(row.teacher ? [teacherLine(row.teacher)] : []),
    ...(row.teacher?.reason ? [`“${escapeMarkdown(row.teacher.reason)}” (the teacher's words)`] : []),
    ...(row.mos === null ? [] : [mosLine(row.mos, row.mosStd, mosRange ?? [1, 5])]),
    `${link("Open in IQA panel", commandIds.openPanel, [project.config, "gallery", { hash: row.hash }])} · ${link("Rescore", commandIds.score, [row.uri])}`,
  ];
  const text = lines.join("  \n");
  const pictures = [row.thumbnail, heat].flatMap((uri) => (uri ? [`![](${target(uri)}|width=160)`] : []));
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
  const rank =
    percentile === null
      ? ""
      : ` · better than ${Math.round(100 * percentile)} % of ${escapeMarkdown(imagesName)}`;
  return `Quality **${onScale(score, scorer.scale, true)}**${direction}${rank} (${by})`;
}

function teacherLine({ score, probabilities, confidence, human }: PointView): string {
  if (human) return `Teacher overruled by a person: ${figure(score, 4)}`;
  const words = probabilities ? ` · ${bars(probabilities)}` : "";
  return `Teacher ${figure(score, 4)}${words} · confidence ${confidence.toFixed(2)}`;
}

function mosLine(mos: number, std: number | undefined, range: readonly [number, number]): string {
  const spread = std === undefined ? "" : ` ± ${figure(std, range[1] - range[0])}`;
  return `MOS ${onScale(mos, range, false, spread)}`;
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

/** "3.62 / 5" on the usual scale, else with both ends of the scale. */
function onScale(score: number, [low, high]: readonly [number, number], fine = false, spread = ""): string {
  const text = figure(score, high - low, fine) + spread;
  return low === 1 ? `${text} / ${high}` : `${text} (${low} to ${high})`;
}

/** As many decimals as mean something on a scale of that span. */
function figure(value: number, span: number, fine = false): string {
  const decimals = span >= 50 ? 0 : span >= 2 ? 1 : 2;
  return value.toFixed(decimals + (fine ? 1 : 0));
}

function formatOf(format: string): string {
  return displayName(format as ImageFormat) ?? escapeMarkdown(format);
}

function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function link(title: string, command: string, args: unknown[]): string {
  return `[${title}](command:${command}?${target(encodeURIComponent(JSON.stringify(args)))})`;
}

/** Brackets, quotes and blanks would end a link's target early, a bar its address. */
function target(address: string): string {
  return address.replace(
    /[()<>'"|\\\s!*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`,
  );
}
