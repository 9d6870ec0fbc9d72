import type { TimedProgress } from "../protocol/jobs.ts";
import type { Text } from "../protocol/text.ts";
import { left } from "./duration.ts";
import { count, figure } from "./figure.ts";
import { asTemplate, marked, render, say } from "./text.ts";
import type { Translate } from "./translate.ts";

/** Share of the present step that is done, 0..100; null while the total is unknown. 100 only once it is. */
export function percentOf(progress: Pick<TimedProgress, "done" | "total"> | null): number | null {
  if (!progress?.total) return null;
  return Math.min(100, Math.floor((100 * progress.done) / progress.total));
}

/** A job in one line: "epoch 3 of 20 · 42 % · 2 min 10 s left". */
export function progressLine(t: Translate, progress: TimedProgress | null): string {
  if (!progress) return t("starting");
  const share = percentOf(progress);
  const known = share === null ? (progress.done > 0 ? counted(t, progress) : "") : `${share} %`;
  return [stepWords(t, progress.step), known, left(t, progress.secondsLeft)].filter(Boolean).join(" · ");
}

/** What the line leaves out: "1,200 of 4,000 images · 31 images/s · loss 0.41". */
export function progressDetails(t: Translate, progress: TimedProgress): string {
  const { unit, detail } = progress;
  const all = progress.total ? counted(t, progress) : "";
  const speed = progress.rate === null ? "" : rate(t, progress.rate, unit);
  return [all, speed, detail && render(detail, t)].filter(Boolean).join(" · ");
}

/** "1,200 of 4,000 images", "1,200 images". */
export function counted(t: Translate, { done, total, unit }: TimedProgress): string {
  return total === undefined
    ? t("{0} {1}", count(done), t(unit))
    : t("{0} of {1} {2}", count(done), count(total), t(unit));
}

/** A rate with its unit: "31 images/s", "4.2 steps/s", "1.5 s per step". */
export function rate(t: Translate, perSecond: number, unit: string): string {
  return render(rateText(perSecond, unit), t);
}

export function rateText(perSecond: number, unit: string): Text {
  if (perSecond >= 9.95) return say`${count(Math.round(perSecond))} ${asTemplate(unit)}/s`;
  if (perSecond >= 0.5) return say`${figure(perSecond, 1)} ${asTemplate(unit)}/s`;
  return say`${figure(1 / perSecond, 1)} s per ${asTemplate(unit.replace(/s$/, ""))}`;
}

/** What a step is called: it comes as an English word, or with figures of its own. */
export function stepWords(t: Translate, step: string): string {
  const [, epoch, epochs] = /^epoch (\d+) of (\d+)$/.exec(step) ?? [];
  if (epoch && epochs) return t("epoch {0} of {1}", epoch, epochs);
  const [, fetched] = /^fetching (\S+)$/.exec(step) ?? [];
  return fetched ? t("fetching {0}", fetched) : t(step);
}

/** The words that stages use for steps and units, for translators. */
export const stepNames = [
  marked("creating a virtual environment"),
  marked("decode"),
  marked("looks"),
  marked("features"),
  marked("files"),
  marked("image"),
  marked("images"),
  marked("installing packages"),
  marked("package"),
  marked("packages"),
  marked("pair"),
  marked("pairs"),
  marked("points"),
  marked("reasons"),
  marked("score"),
  marked("step"),
  marked("steps"),
  marked("teacher"),
  marked("waiting for another process that sets it up"),
];
