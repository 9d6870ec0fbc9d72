import type { ArmResult, ArmTest, ExperimentResult, ReportedMetric } from "../../src/protocol/experiments.ts";
import { render } from "../../src/words/text.ts";
import type { Translate } from "../../src/words/translate.ts";
import { lowerIsBetter } from "./figures.ts";

/** A difference with a corrected p below this is marked. */
export const level = 0.05;

/** The measure whose difference is shown: the first of the report that is tested; undefined without a comparison. */
export function comparedMetric({ report, arms }: ExperimentResult): ReportedMetric | undefined {
  return report.find((metric) => arms.some(({ versus }) => versus && metric in versus.tests));
}

export type Tone = "good" | "poor" | "muted";

export function toneOf({ difference, pHolm }: ArmTest, metric: ReportedMetric): Tone {
  if (!(pHolm < level) || difference === 0) return "muted";
  return difference > 0 !== lowerIsBetter(metric) ? "good" : "poor";
}

/** Numbers of held-out images that its trials were evaluated on: one, or the least and the most. */
export function imagesOf({ trials }: ArmResult): number[] {
  const all = trials.flatMap(({ metrics }) => (metrics ? [metrics.n] : []));
  return all.length === 0 ? [] : [...new Set([Math.min(...all), Math.max(...all)])];
}

/** Why trials failed, each reason once with its seeds. */
export function failuresOf({ trials }: ArmResult, t: Translate): { reason: string; seeds: number[] }[] {
  const failed = trials.filter(({ state }) => state === "failed");
  const byReason = Map.groupBy(failed, ({ reason }) => render(reason ?? "", t));
  return [...byReason].map(([reason, some]) => ({ reason, seeds: some.map(({ seed }) => seed) }));
}
