import { digestLines } from "../../base/keys.ts";
import { chooseCalibrationSubset } from "../../dataset/calibrationSubset.ts";
import type { TargetScores } from "../../dataset/catalog.ts";
import { type MosConfig, targetsOf } from "../../mos/complete.ts";
import { mosToStudent } from "../../mos/scale.ts";
import type { Plan, TargetRows, TrainingRow } from "./types.ts";

/** Fewer ratings tell no slope. */
const least = 2;

/**
 * What calibrates the targets beside the main one: of each the chosen images that have a score of it and, where these are fewer
 * than `calibrate.ratio` of all that have one, more of them. A target with fewer than two is left out.
 */
export function targetRows(plan: Plan, chosen: readonly string[], validated: boolean): TargetRows[] {
  return (plan.catalog.targets ?? []).flatMap((target) => {
    const own = chosenOf(plan, target, chosen);
    if (own.length < least) return [];
    const { name, range, lowerIsBetter, mos } = target;
    const row = (split: TrainingRow["split"]) => (hash: string) => ({
      hash,
      split,
      target: mosToStudent(mos.get(hash)!, target),
    });
    const val = validated ? ratedOf(plan, target, "val") : [];
    return [{ name, range, lowerIsBetter, rows: [...own.map(row("train")), ...val.map(row("val"))] }];
  });
}

function chosenOf(plan: Plan, target: TargetScores, chosen: readonly string[]): string[] {
  const { ratio, seed } = plan.project.config.calibrate;
  const rated = ratedOf(plan, target, "train");
  const wanted = chooseCalibrationSubset(rated, ratio, seed).length;
  const own = chosen.filter((hash) => target.mos.has(hash));
  const had = new Set(own);
  const more = chooseCalibrationSubset(
    rated.filter((hash) => !had.has(hash)),
    1,
    seed,
  );
  return [...own, ...more.slice(0, Math.max(0, wanted - own.length))];
}

export function ratedOf(
  { catalog }: Plan,
  { mos }: Pick<TargetScores, "mos">,
  split: "train" | "val" | "test",
): string[] {
  return catalog.hashes.filter((hash) => catalog.splitOf(hash) === split && mos.has(hash));
}

/** As an input of a stage, with the main one's name, which the student's card has; nothing where there is one target. */
export function targetInputs(targets: readonly TargetRows[], mos: MosConfig): { targets?: unknown } {
  const [main] = targetsOf(mos);
  if (!main || targets.length === 0) return {};
  const beside = targets.map(({ name, range, lowerIsBetter, rows }) => ({
    name,
    range,
    lowerIsBetter,
    rows: digestLines(rows.map(({ hash, split, target }) => `${hash} ${split} ${target}`)),
  }));
  return { targets: [{ name: main.name }, ...beside] };
}
