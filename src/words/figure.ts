import { english, type Translate } from "./translate.ts";

/** Two ends, the lower first. */
export type Range = readonly [low: number, high: number];

/** What stands where a figure cannot be had. */
export const none = "–";

let grouped: Intl.NumberFormat | undefined;
let spoken: Translate = english;

/** The language of the figures that this process shows; English until it is told. */
export function speakFigures(t: Translate): void {
  spoken = t;
}

/**
 * A whole number: "4,000". Each translation says how it groups digits. Decimals have a point in every language, as in leaf.yaml,
 * CSV files and papers; so none may group by a point, and one whose readers take a comma for one of decimals groups by a space.
 */
export function count(value: number): string {
  return countIn(spoken, value);
}

/** The same in another language than this process's. */
export function countIn(t: Translate, value: number): string {
  // Not before it is needed: it takes milliseconds to make, and the extension starts in few.
  grouped ??= new Intl.NumberFormat("en");
  const text = grouped.format(value);
  if (!text.includes(",")) return text;
  const [, sign = ","] = /1(\D*)000/.exec(t("1,000")) ?? [];
  return text.replaceAll(",", sign);
}

/** A fixed number of decimals, a true minus, and never a minus before zero. */
export function figure(value: number | null | undefined, decimals = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  const digits = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(digits) !== 0 ? `−${digits}` : digits;
}

/** A difference: "+0.012", "−0.004"; "±0.000" where it rounds to nothing. */
export function signed(value: number | null | undefined, decimals = 3): string {
  const text = figure(value, decimals);
  if (text === none) return text;
  return Number(text) === 0 ? `±${text}` : text.startsWith("−") ? text : `+${text}`;
}

/** "[0.842, 0.879]"; empty where there is none. As many decimals as the figure that it is of. */
export function interval(range: Range | null | undefined, decimals = 3, write = figure): string {
  return range ? `[${write(range[0], decimals)}, ${write(range[1], decimals)}]` : "";
}

/** A figure with its interval: "0.861 [0.842, 0.879]". */
export function withInterval(value: number | null, range: Range | null | undefined, decimals = 3): string {
  return [figure(value, decimals), interval(range, decimals)].filter(Boolean).join(" ");
}

/** A probability of chance: "0.034", "<0.001". */
export function pValue(p: number): string {
  return p < 0.001 ? "<0.001" : figure(p);
}

/** A share of 0..1: "12.7 %". */
export function percent(share: number | null | undefined, decimals = 1): string {
  const text = figure(share === null || share === undefined ? share : 100 * share, decimals);
  return text === none ? text : `${text} %`;
}

/** A setting or the end of a scale: at most so many decimals, and none that say nothing. */
export function plain(value: number, most = 2): string {
  const digits = String(Number(Math.abs(value).toFixed(most)));
  return value < 0 && digits !== "0" ? `−${digits}` : digits;
}

/** At most so many digits that mean something, and none that say nothing: "0.9996". */
export function significant(value: number, digits = 4): string {
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** Of what is close to nothing: "1.2e−7". */
export function tiny(value: number): string {
  return value.toExponential(1).replace("-", "−");
}

/** "1.3 MB", "42 kB". */
export function bytes(size: number): string {
  if (size < 999.5) return `${Math.round(size)} B`;
  let value = size / 1000;
  let unit = 0;
  const units = ["kB", "MB", "GB", "TB"];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 ? figure(value, 1) : Math.round(value)} ${units[unit]}`;
}

/** Of a model's parameters: "5.3 M". */
export function millions(value: number): string {
  return `${figure(value / 1e6, 1)} M`;
}

/** "1.25 USD"; small sums with the decimals that they need. */
export function money({ amount, currency }: { amount: number; currency: string }): string {
  return `${figure(amount, amount > 0 && amount < 0.1 ? 4 : 2)} ${currency}`;
}
