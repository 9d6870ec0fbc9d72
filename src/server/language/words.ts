import type { JobSnapshot } from "../../protocol/jobs.ts";

const count = new Intl.NumberFormat("en");

/** "40 s", "2 min", "1 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** "just now", "12 min ago", "3 h ago", "2 days ago". */
export function age(time: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (!Number.isFinite(minutes) || minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}

/** How far a job is: "epoch 3 of 20 · 2 min left". */
export function progressOf(job: JobSnapshot): string {
  const { progress } = job;
  if (!progress) return "starting";
  const { step, done, total, secondsLeft } = progress;
  // Some steps carry their own numbers.
  const counted =
    /\d/.test(step) || total === undefined ? step : `${step} ${count.format(done)} of ${count.format(total)}`;
  const left = secondsLeft === null ? [] : [`${duration(secondsLeft)} left`];
  return [counted, ...left].join(" · ");
}
