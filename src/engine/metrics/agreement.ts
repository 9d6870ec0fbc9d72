import type { Metrics } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { bootstrapIntervals } from "./bootstrap.ts";
import { plcc, rmse } from "./correlation.ts";
import type { Groups } from "./groups.ts";
import { fitLogistic, type Logistic, logistic } from "./logistic.ts";
import { krcc, srcc } from "./rank.ts";

export { fitLogistic, krcc, type Logistic, logistic, plcc, rmse, srcc };

export interface MetricsOptions {
  /** Replicates for the 95 % intervals; 0 for none. */
  bootstrap: number;
  seed: number;
  /** Images that are drawn together for the intervals; by default each by itself. */
  groups?: Groups;
}

/**
 * Compares predictions with human truth, both in the truth's unit. A correlation is null where it is not defined (fewer than
 * 3 values, a constant side; fewer than 5 for the logistic fit). Throws LeafError `input` for no values or one that is not
 * finite.
 */
export function evaluateMetrics(
  predictions: Float64Array,
  truth: Float64Array,
  { bootstrap, seed, groups }: MetricsOptions,
): Metrics & { logistic: Logistic | null } {
  const n = predictions.length;
  if (truth.length !== n) throw new RangeError(`${n} predictions for ${truth.length} true scores.`);
  if (n === 0) throw new LeafError("input", say`There are no scores to compare.`);
  for (const [name, values] of [
    [say`prediction`, predictions],
    [say`true score`, truth],
  ] as const) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0)
      throw new LeafError("input", say`The ${name} number ${at + 1} is ${values[at]!}, not a finite number.`);
  }
  const raw = { srcc: srcc(predictions, truth), plcc: plcc(predictions, truth) };
  const fit = fitLogistic(predictions, truth);
  return {
    n,
    ...raw,
    plccLogistic:
      fit &&
      plcc(
        predictions.map((x) => logistic(fit, x)),
        truth,
      ),
    krcc: krcc(predictions, truth),
    rmse: rmse(predictions, truth),
    ci95:
      raw.srcc === null
        ? { srcc: null, plcc: null }
        : bootstrapIntervals(predictions, truth, { replicates: bootstrap, seed, groups }),
    ...(groups && { groups: groups.count }),
    logistic: fit,
  };
}
