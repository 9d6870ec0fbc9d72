import type { Translate } from "./translate.ts";

/** "40 s", "2 min 10 s", "42 min", "3 h 5 min": as fine as a person plans by. */
export function duration(t: Translate, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("{0} s", whole);
  if (whole < 600 && whole % 60 > 0) return t("{0} min {1} s", Math.floor(whole / 60), whole % 60);
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("{0} min", minutes);
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? t("{0} h", hours) : t("{0} h {1} min", hours, minutes % 60);
}

/** "2 min 10 s left"; empty where it is not known, or nothing is left. */
export function left(t: Translate, seconds: number | null): string {
  return seconds === null || seconds <= 0 ? "" : t("{0} left", duration(t, Math.max(1, seconds)));
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** "12 min ago"; the date of what is older than a week; empty where the time cannot be read. */
export function ago(t: Translate, iso: string, now: number): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return "";
  if (seconds < minute) return t("just now");
  if (seconds < hour) return t("{0} min ago", Math.floor(seconds / minute));
  if (seconds < 2 * day) return t("{0} h ago", Math.floor(seconds / hour));
  if (seconds < 7 * day) return t("{0} days ago", Math.floor(seconds / day));
  return iso.slice(0, 10);
}
