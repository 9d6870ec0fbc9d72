import type { ImageRow, Rank } from "../protocol/images.ts";
import type { ScorerInfo } from "../protocol/project.ts";
import { count, figure, plain, type Range } from "./figure.ts";
import type { Translate } from "./translate.ts";

/** The scale of teachers, and of students that are not calibrated. */
export const fiveScale: Range = [1, 5];

/** As many decimals as tell two scores of the scale apart: 3.62 of 1 to 5, 71.3 of 0 to 100, 0.613 of 0 to 1. */
export function scoreFigure(score: number | null | undefined, [low, high]: Range): string {
  const span = Math.abs(high - low);
  return figure(score, span > 20 ? 1 : span >= 2 ? 2 : 3);
}

/** "1 to 5". */
export function rangeText(t: Translate, [low, high]: Range): string {
  return t("{0} to {1}", plain(low), plain(high));
}

/** A score with its scale, and its error bar where there is one: "3.62 ± 0.31 / 5" where it begins at 1, else "61.7 (0 to 100)". */
export function scoreText(t: Translate, score: number, scale: Range, sd?: number): string {
  return onScale(t, scoreFigure(score, scale) + spread(sd, scale), scale);
}

/** An error bar behind a score: " ± 0.31". */
export const spread = (sd: number | undefined, scale: Range): string =>
  sd === undefined ? "" : ` ± ${scoreFigure(sd, scale)}`;

/** A mean opinion score, with the standard deviation of the opinions where it is known: "3.40 ± 0.68 / 5". */
export function mosText(t: Translate, row: Pick<ImageRow, "mos" | "mosStd">, scale: Range): string {
  return onScale(t, mosFigure(row, scale), scale);
}

/** The same where its scale is told beside it. */
export function mosFigure({ mos, mosStd }: Pick<ImageRow, "mos" | "mosStd">, scale: Range): string {
  return scoreFigure(mos, scale) + spread(mos === null ? undefined : mosStd, scale);
}

function onScale(t: Translate, text: string, scale: Range): string {
  return scale[0] === 1 ? `${text} / ${plain(scale[1])}` : `${text} (${rangeText(t, scale)})`;
}

/** "better than 71 % of 152 scored images". */
export function betterThan(t: Translate, { share, of }: Rank): string {
  return t("better than {0} % of {1} scored images", count(Math.round(100 * share)), count(of));
}

/** "confidence 0.54". */
export function confidenceText(t: Translate, confidence: number): string {
  return t("confidence {0}", figure(confidence, 2));
}

export const bands = ["excellent", "good", "fair", "poor", "bad"] as const;
export type BandName = (typeof bands)[number];
type Scale = Pick<ScorerInfo, "scale" | "lowerIsBetter">;

export function bandWord(t: Translate, band: BandName): string {
  const words: Record<BandName, string> = {
    excellent: t("excellent"),
    good: t("good"),
    fair: t("fair"),
    poor: t("poor"),
    bad: t("bad"),
  };
  return words[band];
}

/** Bounds between bad, poor, fair, good and excellent on 1..5: half way between the ratings. */
export const bandCuts = [1.5, 2.5, 3.5, 4.5] as const;

/** The band of a score on its scorer's scale. */
export function bandOf(score: number, { scale: [low, high], lowerIsBetter }: Scale): BandName {
  const share = high > low ? (score - low) / (high - low) : 0.5;
  const onFive = 1 + 4 * (lowerIsBetter ? 1 - share : share);
  const above = bandCuts.filter((cut) => onFive >= cut).length;
  return bands[4 - above] as BandName;
}

/** Lowest and highest score of a band on the scorer's scale; the outer ones reach beyond it, as scores can. */
export function bandRange(band: BandName, { scale: [low, high], lowerIsBetter }: Scale): [number, number] {
  const at = 4 - bands.indexOf(band);
  const value = (onFive: number) => {
    const share = (onFive - 1) / 4;
    return low + (high - low) * (lowerIsBetter ? 1 - share : share);
  };
  const beyond = 1000 * (high - low) * (lowerIsBetter ? -1 : 1);
  const worst = at === 0 ? value(1) - beyond : value(bandCuts[at - 1] as number);
  const best = at === 4 ? value(5) + beyond : value(bandCuts[at] as number);
  return worst < best ? [worst, best] : [best, worst];
}
