import path from "node:path";
import type { FailureSummary, ItemFailure } from "../../protocol/failures.ts";
import type { Text } from "../../protocol/text.ts";
import { count } from "../../words/figure.ts";
import { kept } from "../../words/kept.ts";
import { counted, inEnglish, say } from "../../words/text.ts";

/** "photos/a.jpg: the file is empty", "mos.csv:3: …", "a.jpg and b.jpg: …". */
export function failureText({ file, other, line, reason }: ItemFailure): Text {
  const where = other ? say`${file} and ${other}` : line === undefined ? file : `${file}:${line}`;
  return say`${where}: ${kept(reason)}`;
}

export function failureLine(failure: ItemFailure): string {
  return inEnglish(failureText(failure));
}

/**
 * Failures as people read them: the first ten by name, then how many more there are and where they stand. Reasons that came more
 * than once are counted where not all are named.
 */
export function failureTexts(summary: FailureSummary, folder = process.cwd()): Text[] {
  const { total, first, reasons, file } = summary;
  const left = total - first.length;
  const grouped = left > 0 ? reasons.filter((one) => one.count > 1).slice(0, 5) : [];
  return [
    ...grouped.map((one) => say`${counted(one.count)} of ${counted(total)}: ${kept(one.reason)}`),
    ...first.map(failureText),
    ...(left === 0
      ? []
      : file === null
        ? [say`… and ${counted(left)} more`]
        : [say`… and ${counted(left)} more: ${shown(file, folder)}`]),
  ];
}

export function failureLines(summary: FailureSummary, folder?: string): string[] {
  return failureTexts(summary, folder).map(inEnglish);
}

function shown(file: string, folder: string): string {
  const relative = path.relative(folder, file);
  return relative.startsWith("..") ? file : relative;
}

/** "12 failed", with the most frequent reason where there is but one. */
export function failureCount({ total, reasons }: FailureSummary): string {
  const failed = `${count(total)} failed`;
  return reasons.length === 1 ? `${failed}: ${reasons[0]!.reason}` : failed;
}

/** Decoders begin their reason with the file's name, which would keep equal ones apart; lines end without a full stop. */
export function withoutName(reason: string, file: string): string {
  for (const name of [file, path.posix.basename(file), path.basename(file)])
    if (name !== "" && reason.startsWith(`${name}: `))
      return reason.slice(name.length + 2).replace(/\.$/, "");
  return reason.replace(/\.$/, "");
}

/** Tells what failed as sentences. */
export function tellFailures(
  summary: FailureSummary | undefined,
  doing: string,
  onWarning: ((message: Text) => void) | undefined,
): void {
  if (!summary || !onWarning) return;
  onWarning(
    summary.total === 1
      ? say`${doing}: 1 failed and is left out`
      : say`${doing}: ${counted(summary.total)} failed and are left out`,
  );
  for (const line of failureTexts(summary)) onWarning(line);
}
