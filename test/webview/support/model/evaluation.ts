import { evaluateMetrics, logistic } from "../../../../src/engine/metrics/agreement.ts";
import type { ImageRow } from "../../../../src/protocol/images.ts";
import type { Metrics } from "../../../../src/protocol/results.ts";
import type { EvaluationView } from "../../../../src/protocol/server.ts";
import { clamp, round, seeded } from "./random.ts";

/** Real metrics of the model's images; `spread` makes a student of one run worse than another's. */
export function makeEvaluation(images: readonly ImageRow[], run: string, spread = 0): EvaluationView {
  const random = seeded(77 + run.length);
  const test = images.filter(({ split, mos }) => split === "test" && mos !== null);
  const points = test.map((row) => ({
    hash: row.hash,
    path: row.path,
    score: round(clamp(row.score! + spread * random.normal(), 1, 5)),
    mos: row.mos!,
    teacher: row.teacher!.score,
  }));
  const truth = points.map(({ mos }) => mos);
  const student = measure(
    points.map(({ score }) => score),
    truth,
  );
  const { logistic: fit, ...metrics } = student;
  const scores = points.map(({ score }) => score);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const drawn = Array.from({ length: 60 }, (_, at) => low + ((high - low) * at) / 59);
  const distilled = measure(
    points.map(({ score }) => clamp(score + 0.25 * random.normal() - 0.3, 1, 5)),
    truth,
  );
  return {
    run,
    evaluation: { ...metrics, run, split: "test", student: "calibrate", failed: 2 },
    points,
    range: [1, 5],
    fit: fit && drawn.map((x) => [round(x), round(logistic(fit, x))]),
    arms: [
      {
        name: "teacher",
        metrics: plain(
          measure(
            points.map(({ teacher }) => teacher),
            truth,
          ),
        ),
      },
      { name: "TGD", metrics: plain(distilled) },
      { name: "CFT", metrics: plain(student) },
    ],
    paper: null,
  };
}

/** Invented figures: they stand where a dataset of the paper would bring the published ones. */
export const publishedFigures: EvaluationView["paper"] = {
  dataset: "AGIQA-3K",
  rows: [
    { name: "LEAF", srcc: 0.93, plcc: 0.94 },
    { name: "another method", srcc: 0.88, plcc: 0.9 },
  ],
};

const measure = (predictions: number[], truth: number[]) =>
  evaluateMetrics(Float64Array.from(predictions), Float64Array.from(truth), { bootstrap: 60, seed: 1 });

function plain(measured: ReturnType<typeof measure>): Metrics {
  const { logistic: _, ...metrics } = measured;
  return metrics;
}
