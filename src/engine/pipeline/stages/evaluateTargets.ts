import path from "node:path";
import type { Metrics, TargetMetrics } from "../../../protocol/results.ts";
import { writeFileAtomic } from "../../base/files.ts";
import type { Config } from "../../config/config.ts";
import { evaluateMetrics } from "../../metrics/agreement.ts";
import { ceilingOf } from "../../metrics/ceiling.ts";
import { groupsOf } from "../../metrics/groups.ts";
import { studentToMos } from "../../mos/scale.ts";
import type { ScoredImage } from "../../student/student.ts";
import { toCsv } from "../../tables/csvText.ts";
import { leastRated } from "../plan/evaluate.ts";
import type { EvaluatedTarget } from "../plan/types.ts";
import { type Prediction, targetPredictions } from "../predictions.ts";

/** Metrics of some predictions, which come in order of image. */
export function metricsOf(rows: readonly Prediction[], { evaluate }: Config): Metrics {
  return evaluateMetrics(
    Float64Array.from(rows, (row) => row.score),
    Float64Array.from(rows, (row) => row.mos),
    { bootstrap: evaluate.bootstrap, seed: 0, groups: groupsOf(rows.map((row) => row.group)) },
  );
}

/** In order of image. */
export async function writePredictions(file: string, rows: Prediction[]): Promise<void> {
  rows.sort((a, b) => (a.path < b.path ? -1 : 1));
  await writeFileAtomic(
    file,
    toCsv(
      ["image", "hash", "score", "mos", "group"],
      rows.map((row) => [row.path, row.hash, row.score, row.mos, row.group]),
    ),
  );
}

/** Collects what a student says of the targets beside the main one, and compares it with people's scores of each. */
export function targetsBeside(targets: readonly EvaluatedTarget[]) {
  const own = targets.map((target) => ({ target, hashes: new Set(target.hashes), rows: [] as Prediction[] }));
  return {
    add(image: Pick<Prediction, "hash" | "path" | "group">, { beside = {} }: Said): void {
      for (const { target, hashes, rows } of own) {
        const said = beside[target.name];
        if (said === undefined || !hashes.has(image.hash)) continue;
        rows.push({ ...image, score: studentToMos(said.score, target), mos: target.mos.get(image.hash)! });
      }
    },
    /** Writes the predictions of each; one of which too few images have a score is left out. */
    async finish(dir: string, config: Config): Promise<TargetMetrics[]> {
      const found: TargetMetrics[] = [];
      for (const { target, rows } of own) {
        if (rows.length < leastRated) continue;
        const { name, range, lowerIsBetter } = target;
        await writePredictions(path.join(dir, targetPredictions(found.length)), rows);
        found.push({ name, range, lowerIsBetter, ...metricsOf(rows, config) });
      }
      return found;
    },
  };
}

/** With what a perfect model could reach on it, where single ratings tell. */
export function withCeiling(mos: Config["mos"], targets: readonly EvaluatedTarget[]) {
  return (one: TargetMetrics): TargetMetrics => {
    const known = targets.find(({ name }) => name === one.name);
    const ceiling = known && ceilingOf(mos, known.raw?.ratings, known.hashes);
    return { ...one, ...(ceiling && { ceiling }) };
  };
}

type Said = Pick<Extract<ScoredImage<unknown>, { score: number }>, "beside">;
