import { evaluateMetrics } from "./agreement.ts";
import { type ComparedMetric, type Comparison, type PairedSet, pairedBootstrap } from "./pairedBootstrap.ts";

/** Of these a difference is tested; the logistic fit is not refitted for every resample. */
export const tested: readonly ComparedMetric[] = ["srcc", "plcc", "krcc", "rmse"];

/** Two models' figures on the same images; the test is of a minus b, null where the metric is not defined. */
export type ComparedFigures = Record<
  ComparedMetric,
  { a: number | null; b: number | null; test: Comparison | null }
>;

/** Whether one model is better than another on the same images; of the set's pairs the first counts. */
export async function compareScores(
  set: PairedSet,
  { bootstrap, signal }: { bootstrap: number; signal?: AbortSignal },
): Promise<ComparedFigures> {
  const { a, b } = set.pairs[0]!;
  const tests = await pairedBootstrap([set], tested, { replicates: bootstrap, seed: 0, signal });
  const [byA, byB] = [a, b].map((scores) => evaluateMetrics(scores, set.truth, { bootstrap: 0, seed: 0 }));
  return Object.fromEntries(
    tested.map((metric) => [metric, { a: byA![metric], b: byB![metric], test: tests[metric] }]),
  ) as ComparedFigures;
}
