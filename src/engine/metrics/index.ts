import type { Metrics } from "../../protocol/results.ts";
import { bootstrapIntervals } from "./bootstrap.ts";
import { kendall, pearson, rmse, spearman } from "./correlation.ts";
import { fitLogistic, logistic } from "./logistic.ts";

/**
 * The field's figures for predictions against human scores, both on one scale: SRCC, KRCC and RMSE on raw scores, PLCC raw and
 * after the 4-parameter logistic fit, 95 % bootstrap intervals over images. Undefined figures are null, never NaN.
 */
export function evaluateMetrics(
  predicted: Float64Array,
  truth: Float64Array,
  options: { bootstrap: number; seed: number },
): Metrics {
  if (predicted.length !== truth.length) throw new RangeError("Predictions and truth differ in length.");
  const fit = fitLogistic(predicted, truth);
  const fitted =
    fit &&
    pearson(
      predicted.map((x) => logistic(fit, x)),
      truth,
    );
  return {
    n: predicted.length,
    srcc: spearman(predicted, truth),
    plcc: pearson(predicted, truth),
    plccLogistic: fitted,
    krcc: kendall(predicted, truth),
    rmse: rmse(predicted, truth),
    ci95: bootstrapIntervals(
      predicted,
      truth,
      { srcc: spearman, plcc: pearson },
      { resamples: options.bootstrap, seed: options.seed },
    ),
  };
}
