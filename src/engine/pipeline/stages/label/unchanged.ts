import type { LabelResult } from "../../../../protocol/results.ts";
import { fileState } from "../../../base/fileState.ts";
import { digestLines, keyOf } from "../../../base/keys.ts";
import type { Project } from "../../../config/project.ts";
import type { LeastConfidence } from "../../../labels/counting.ts";
import type { LabelPlan } from "../../plan/types.ts";
import { readResult } from "../../stage.ts";

/** A look at the store that found every answer: the next one is the same while neither what it asked for nor the store changes. */
export interface Checked {
  /** What was asked of the store, beside what the stage's key says. */
  asked: string;
  /** The store's files as they were before the look and after it. */
  store: string;
}

/** What any write to a store changes; undefined for one that is not there, or that has just been written to. */
export function storeState(file: string): string | undefined {
  const [main, wal] = [fileState(file), fileState(`${file}-wal`)];
  // One who only reads leaves an empty one.
  const parts = wal && wal.size > 0n ? [main?.state, wal.state] : [main?.state];
  return parts.includes(undefined) ? undefined : keyOf(parts);
}

export function askedOf(
  { config }: Project,
  { needs: { unscored, checks } }: LabelPlan,
  minConfidence: LeastConfidence,
): string {
  const { orders, reasons } = config.label;
  return keyOf({
    unscored: digestLines(unscored),
    images: digestLines(checks.images),
    pairs: digestLines(checks.pairs.map((pair) => pair.join(" "))),
    orders,
    reasons,
    minConfidence,
  });
}

/** The stage's result where its last look at the store found every answer, and a new one would find the same. */
export async function sameAsBefore(
  project: Project,
  { key }: LabelPlan,
  now: { asked: string; store: string | undefined },
): Promise<LabelResult | undefined> {
  if (now.store === undefined) return undefined;
  const known = await readResult(project, "label", key);
  if (known?.checked?.asked !== now.asked || known.checked.store !== now.store) return undefined;
  const { inputs: _, teacher: __, chosen: ___, checked: ____, ...result } = known;
  return result;
}

/** Whether a look found every answer in the store, and nothing to tell. */
export function foundAll({ points, pairs, checks, reasons, failures, spent, targets }: LabelResult): boolean {
  const asked = [points, pairs, checks?.points, checks?.pairs, reasons];
  return !failures && !spent && !targets && asked.every((some) => !some || some.labelled + some.failed === 0);
}
