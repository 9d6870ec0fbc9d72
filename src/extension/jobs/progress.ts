import type { JobSnapshot, TimedProgress } from "../../protocol/jobs.ts";
import type { Translate } from "../../words/translate.ts";

/** Work-done progress, as far as it is read here. */
export interface WorkDone {
  kind: "begin" | "report" | "end";
  title?: string;
  message?: string;
  percentage?: number;
}

const jobTokens = new Set<string | number>();

/** Whether a work-done progress is that of a job: the server titles those "LEAF …". */
export function isJobProgress(token: string | number, params: WorkDone): boolean {
  if (params.kind === "begin" && params.title?.startsWith("LEAF ")) jobTokens.add(token);
  const ofJob = jobTokens.has(token);
  if (params.kind === "end") jobTokens.delete(token);
  return ofJob;
}

/** Share of the present step that is done, 0..100; null while the total is unknown. */
export function percentOf(progress: TimedProgress | null): number | null {
  if (!progress?.total) return null;
  return Math.min(100, Math.round((100 * progress.done) / progress.total));
}

/** "epoch 3 of 20 · 42 % · 2 min left". */
export function progressWords(progress: TimedProgress | null, t: Translate): string {
  if (!progress) return t("starting");
  const percent = percentOf(progress);
  const parts = [progress.step];
  if (percent !== null) parts.push(`${percent} %`);
  else if (progress.done > 0) parts.push(`${progress.done.toLocaleString("en")} ${progress.unit}`);
  if (progress.secondsLeft !== null) parts.push(t("{0} left", duration(progress.secondsLeft, t)));
  return parts.join(" · ");
}

/** "35 images/s", for tooltips. */
export function rateWords({ rate, unit }: TimedProgress): string | null {
  if (!rate) return null;
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} ${unit}/s`;
}

/** "40 s", "6 min", "3 h". */
export function duration(seconds: number, t: Translate): string {
  if (seconds < 90) return t("{0} s", Math.ceil(seconds));
  if (seconds < 90 * 60) return t("{0} min", Math.round(seconds / 60));
  return t("{0} h", Math.round(seconds / 3600));
}

/** "12 min ago". */
export function ago(iso: string, now: number, t: Translate): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return t("just now");
  if (seconds < 36 * 3600) return t("{0} ago", duration(seconds, t));
  return t("{0} days ago", Math.round(seconds / 86_400));
}

/** What a job is called where it is shown. */
export function jobTitle(kind: JobSnapshot["kind"], t: Translate): string {
  switch (kind) {
    case "run":
      return t("Run pipeline");
    case "label":
      return t("Label with teacher");
    case "distill":
      return t("Distill student");
    case "calibrate":
      return t("Calibrate student");
    case "evaluate":
      return t("Evaluate student");
    case "experiment":
      return t("Run experiment");
    case "env":
      return t("Set up training environment");
  }
}
