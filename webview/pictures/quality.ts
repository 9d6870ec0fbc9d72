import type { ImageRow } from "../../src/protocol/images.ts";
import type { ScorerInfo } from "../../src/protocol/project.ts";
import type { Host } from "../host.ts";

export const bands = ["excellent", "good", "fair", "poor", "bad"] as const;
export type BandName = (typeof bands)[number];

export function bandWord({ text }: Host, band: BandName): string {
  const words: Record<BandName, string> = {
    excellent: text("excellent"),
    good: text("good"),
    fair: text("fair"),
    poor: text("poor"),
    bad: text("bad"),
  };
  return words[band];
}

/** Bounds between bad, poor, fair, good and excellent on 1..5. */
const cuts = [1.5, 2.5, 3.5, 4.5] as const;

type Scale = Pick<ScorerInfo, "scale" | "lowerIsBetter">;

/** The band of a score on its scorer's scale. */
export function bandOf(score: number, { scale: [low, high], lowerIsBetter }: Scale): BandName {
  const share = (score - low) / (high - low);
  const onFive = 1 + 4 * (lowerIsBetter ? 1 - share : share);
  const above = cuts.filter((cut) => onFive >= cut).length;
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
  const worst = at === 0 ? value(1) - beyond : value(cuts[at - 1] as number);
  const best = at === 4 ? value(5) + beyond : value(cuts[at] as number);
  return worst < best ? [worst, best] : [best, worst];
}

/** Decimals that tell two scores of this scale apart: 3.62 of 5, 71.3 of 100. */
export function scoreText(score: number | null, [low, high]: [number, number]): string {
  return score === null ? "–" : score.toFixed(high - low > 20 ? 1 : 2);
}

/** A mean opinion score, with the standard deviation of the opinions where it is known: 3.42 ± 0.71. */
export function mosText({ mos, mosStd }: Pick<ImageRow, "mos" | "mosStd">, range: [number, number]): string {
  const spread = mos === null || mosStd === undefined ? "" : ` ± ${scoreText(mosStd, range)}`;
  return scoreText(mos, range) + spread;
}
