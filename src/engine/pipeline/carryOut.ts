import type { RunRecord, StageName } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { during } from "../base/unexpected.ts";
import type { Project } from "../config/project.ts";
import { holdingStage, keepingStage } from "./lock.ts";
import type { StagePlan } from "./plan/types.ts";
import { beginStage, recordFailure, runFor } from "./runs.ts";
import { isWhole } from "./stage.ts";

export interface StageWork<T> {
  /** Makes the stage's output, up to its `result.json`. */
  work(): Promise<unknown>;
  /** Tells the run what came out. Until then the stage's folder is held: it belongs to no run yet. */
  record(run: RunRecord, reused: boolean): Promise<T>;
}

/** Reads on after "while". */
const doing: Record<StageName, Text> = {
  label: say`the images were labelled`,
  distill: say`the student was distilled`,
  calibrate: say`the student was calibrated`,
  evaluate: say`the student was evaluated`,
};

/** Does a stage of a run unless it is finished, and records it. The run says how it went, also where it fails or is cancelled. */
export async function carryOut<T>(
  project: Project,
  { stage, key, keys }: StagePlan,
  { work, record }: StageWork<T>,
): Promise<T> {
  if (isWhole(project, stage, key)) {
    const kept = await keepingStage(project, stage, key, async () =>
      isWhole(project, stage, key) ? { value: await record(await runFor(project, keys), true) } : undefined,
    );
    if (kept) return kept.value;
  }
  return holdingStage(project, stage, key, async () => {
    const run = await runFor(project, keys);
    await beginStage(project, run, stage, key);
    try {
      // Another process may have finished it this moment.
      const reused = isWhole(project, stage, key);
      if (!reused) await during(doing[stage], project.configFile, work);
      return await record(run, reused);
    } catch (error) {
      await recordFailure(project, run, error).catch(() => {});
      throw error;
    }
  });
}
