import type { ArmTest, ExperimentResult } from "../../protocol/experiments.ts";
import { keyOf } from "../base/keys.ts";
import { tested } from "../metrics/compareScores.ts";
import { groupsOf } from "../metrics/groups.ts";
import { holm } from "../metrics/holm.ts";
import {
  type ComparedMetric,
  type Comparison,
  type PairedSet,
  pairedBootstrap,
} from "../metrics/pairedBootstrap.ts";
import type { OpenExperiment } from "./file.ts";
import type { Predictions } from "./predictions.ts";
import type { Trial } from "./trial.ts";

/**
 * Tests every row against its baseline: a paired bootstrap over images, or groups of `split.groupBy`, averaged over the seeds that both have, p-values
 * corrected over the rows (Holm), for each reported metric apart. Fills `versus` of the result's rows.
 */
export async function compareArms(
  open: OpenExperiment,
  result: ExperimentResult,
  trials: readonly Trial[],
  predictionsOf: (trial: Trial) => Promise<Predictions>,
  signal?: AbortSignal,
): Promise<void> {
  const metrics = tested.filter((metric) => result.report.includes(metric));
  const done = (name: string, seed: number) =>
    trials.find((trial) => trial.cell.name === name && trial.seed === seed && trial.result.state === "done");
  const rows: { arm: number; baseline: string; found: Record<ComparedMetric, Comparison | null> }[] = [];
  for (const [arm, { name, baseline }] of open.cells.entries()) {
    if (baseline === null) continue;
    const pairs = open.experiment.seeds.flatMap((seed) => {
      const [a, b] = [done(name, seed), done(baseline, seed)];
      return a && b ? [{ a, b }] : [];
    });
    const sets = await pairedSets(pairs, predictionsOf);
    const found = await pairedBootstrap(sets, metrics, {
      replicates: open.experiment.bootstrap,
      seed: 0,
      signal,
    });
    rows.push({ arm, baseline, found });
  }
  const corrected = Object.fromEntries(
    metrics.map((metric) => [metric, holm(rows.map(({ found }) => found[metric]?.p ?? null))]),
  );
  for (const [i, { arm, baseline, found }] of rows.entries()) {
    const tests = metrics.map((metric): [string, ArmTest | null] => {
      const one = found[metric];
      return [metric, one ? { ...one, pHolm: corrected[metric]![i]! } : null];
    });
    result.arms[arm]!.versus = { baseline, tests: Object.fromEntries(tests) };
  }
}

/** Predictions on the images that both have; pairs on the same images are one set, and those of equal evaluations one pair. */
async function pairedSets(
  pairs: readonly { a: Trial; b: Trial }[],
  predictionsOf: (trial: Trial) => Promise<Predictions>,
): Promise<PairedSet[]> {
  const sets = new Map<string, PairedSet>();
  const seen = new Set<string>();
  for (const { a, b } of pairs) {
    const both = `${a.result.key} ${b.result.key}`;
    if (seen.has(both)) continue;
    seen.add(both);
    const found = pairedSet(await predictionsOf(a), await predictionsOf(b));
    if (!found) continue;
    const { hashes, names, set } = found;
    const key = keyOf([hashes, [...set.truth], names]);
    const known = sets.get(key);
    if (known) known.pairs.push(...set.pairs);
    else sets.set(key, set);
  }
  return [...sets.values()];
}

/** Two models on the images that both have predicted, by the truth of the second; undefined with fewer than three. */
export function pairedSet(
  a: Predictions,
  b: Predictions,
): { hashes: string[]; names: string[]; set: PairedSet } | undefined {
  const hashes = [...a.keys()].filter((hash) => b.has(hash)).sort();
  if (hashes.length < 3) return undefined;
  const names = hashes.map((hash) => b.get(hash)!.group);
  const scores = (of: Predictions) => Float64Array.from(hashes, (hash) => of.get(hash)!.score);
  const truth = Float64Array.from(hashes, (hash) => b.get(hash)!.mos);
  return { hashes, names, set: { truth, pairs: [{ a: scores(a), b: scores(b) }], groups: groupsOf(names) } };
}
