import type { Host } from "../host.ts";

type Text = Host["text"];

const grouped = new Intl.NumberFormat("en");

export const count = (value: number): string => grouped.format(value);

/** A figure with a fixed number of decimals; an en dash where there is none. */
export function figure(value: number | null | undefined, decimals = 3): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? "–"
    : value.toFixed(decimals).replace("-", "−");
}

export function signed(value: number, decimals = 3): string {
  const rounded = value.toFixed(decimals);
  if (Number(rounded) === 0) return `±${(0).toFixed(decimals)}`;
  return value > 0 ? `+${rounded}` : rounded.replace("-", "−");
}

export function interval(range: [number, number] | null | undefined, decimals = 2): string {
  return range ? `[${figure(range[0], decimals)}, ${figure(range[1], decimals)}]` : "";
}

/** Rounded to what a person plans by: "40 s", "2 min 10 s", "3 h 5 min". */
export function duration(text: Text, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return text("{0} s", whole);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 10 && rest > 0) return text("{0} min {1} s", minutes, rest);
  if (minutes < 60) return text("{0} min", Math.round(whole / 60));
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? text("{0} h", hours) : text("{0} h {1} min", hours, minutes % 60);
}

/** "12 min ago"; the date for what is older than a week. */
export function ago(text: Text, iso: string, now = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return text("just now");
  if (seconds < 3600) return text("{0} min ago", Math.floor(seconds / 60));
  if (seconds < 86_400) return text("{0} h ago", Math.floor(seconds / 3600));
  if (seconds < 7 * 86_400) return text("{0} d ago", Math.floor(seconds / 86_400));
  return iso.slice(0, 10);
}

/** A rate with its unit: "31 images/s", "4.2 steps/s", "1.5 s per step". */
export function rate(text: Text, perSecond: number, unit: string): string {
  if (perSecond >= 10) return text("{0} {1}/s", count(Math.round(perSecond)), unit);
  if (perSecond >= 0.5) return text("{0} {1}/s", perSecond.toFixed(1), unit);
  return text("{0} s per {1}", (1 / perSecond).toFixed(1), unit.replace(/s$/, ""));
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${Math.round(size / 1e3)} kB`;
  return `${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB`;
}
