import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { HeadDone } from "../../../protocol/head.ts";
import type { CalibrateResult } from "../../../protocol/results.ts";
import { compare, seededRank } from "../../base/seededRank.ts";
import type { CalibratePlan, Plan, TrainingRow } from "../plan/types.ts";
import type { StageOptions } from "../stage.ts";
import { fineTune } from "./fineTune.ts";
import { trainingCache } from "./training.ts";

/** A fold of fewer ratings says nothing of an order. */
const leastInFold = 5;
const mostFolds = 5;

/** The fold of each rating, such that no group is in two; undefined where the ratings are too few for two folds. */
export function foldsOf(
  { catalog }: Plan,
  { rows, settings }: CalibratePlan,
): Map<string, number> | undefined {
  const chosen = rows.filter((row) => row.split === "train").map((row) => row.hash);
  const byGroup = Map.groupBy(chosen, (hash) => catalog.groupOf(hash));
  const count = Math.min(mostFolds, byGroup.size, Math.floor(chosen.length / leastInFold));
  if (count < 2) return undefined;
  const groups = [...byGroup].map(([name, hashes]) => ({
    hashes,
    name,
    rank: seededRank(settings.seed, "folds", name),
  }));
  groups.sort(
    (a, b) => b.hashes.length - a.hashes.length || compare(a.rank, b.rank) || compare(a.name, b.name),
  );
  const sizes = new Array<number>(count).fill(0);
  const found = new Map<string, number>();
  for (const { hashes } of groups) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold]! += hashes.length;
    for (const hash of hashes) found.set(hash, fold);
  }
  return found;
}

/** Fine-tunes without each fold in turn, and sets its SRCC on that fold against the closed form's. */
export async function compareMethods(
  plan: Plan,
  calibrate: CalibratePlan,
  dir: string,
  folds: ReadonlyMap<string, number>,
  closed: HeadDone["folds"],
  options: StageOptions,
): Promise<NonNullable<CalibrateResult["compared"]>> {
  const { project, catalog } = plan;
  const cache = await trainingCache(project, catalog, "calibrate", options);
  const fineTuned: (number | null)[] = [];
  try {
    for (let fold = 0; fold < closed.length; fold++) {
      const rows: TrainingRow[] = calibrate.rows
        .filter((row) => row.split === "train")
        .map((row) => ({ ...row, split: folds.get(row.hash) === fold ? "val" : "train" }));
      const out = path.join(dir, "folds", String(fold));
      await mkdir(out, { recursive: true });
      const { done } = await fineTune(plan, calibrate, cache, { dir: out, rows, keep: "last" }, options);
      fineTuned.push(done.val?.srcc ?? null);
    }
  } finally {
    cache.release();
  }
  await rm(path.join(dir, "folds"), { recursive: true, force: true });
  return {
    folds: closed.length,
    closedForm: mean(closed.map((one) => one.srcc)),
    fineTuned: mean(fineTuned),
  };
}

/** A fold whose order is not defined counts as none at all. */
function mean(figures: readonly (number | null)[]): number | null {
  return figures.length === 0
    ? null
    : figures.reduce<number>((sum, one) => sum + (one ?? 0), 0) / figures.length;
}
