import type { RunRecord } from "../../protocol/results.ts";
import { isId } from "../base/ids.ts";
import type { Project } from "../config/project.ts";
import { isStageRunning } from "./lock.ts";
import { stageNames } from "./stage.ts";

/** A run as it is now: one that says it runs, and whose process is gone, has ended. The only place that decides this. */
export function asItIsNow(project: Project, run: RunRecord): RunRecord {
  if (run.state !== "running") return run;
  const { working } = run;
  // A former version wrote no more than this, whatever became of the run.
  if (!working)
    return { ...run, state: "cancelled", reason: "It was stopped before its first stage was done." };
  const known = stageNames.includes(working.stage) && isId("key", working.key);
  if (known && isStageRunning(project, working.stage, working.key)) return run;
  return {
    ...run,
    state: "failed",
    working: null,
    reason: `The process of ${working.stage} ended without a word: it was killed, or the machine went down. Run it again: it goes on where it was.`,
  };
}
