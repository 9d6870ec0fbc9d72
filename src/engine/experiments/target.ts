import type { EvaluateResult, Metrics, TargetMetrics } from "../../protocol/results.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { writtenTargets } from "../mos/targets.ts";
import type { Experiment } from "./schema.ts";

/** The targets of a config, the main one first; none without human scores. */
export function targetNames({ mos }: Config): string[] {
  return mos ? writtenTargets(mos.score).map(({ name }) => name) : [];
}

/** The target beside the main one that an experiment's figures are of; undefined where they are the main one's. */
export function besideTarget({ target }: Pick<Experiment, "target">, config: Config): string | undefined {
  return target === targetNames(config)[0] ? undefined : target;
}

/** The figures of one target, and which of `targets` it is. Throws LeafError `failed` where the evaluation has none of it. */
export function figuresOf(
  evaluation: Metrics & Pick<EvaluateResult, "targets">,
  target: string | undefined,
): { figures: Metrics; at: number | undefined } {
  if (target === undefined) return { figures: evaluation, at: undefined };
  const at = (evaluation.targets ?? []).findIndex(({ name }: TargetMetrics) => name === target);
  if (at >= 0) return { figures: evaluation.targets![at]!, at };
  throw new LeafError("failed", say`The student has no score of ${target}, or too few images have one.`, {
    remedy: say`A target is learnt from labels of its own question or from at least two ratings.`,
  });
}
