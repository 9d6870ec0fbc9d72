import type { RunRecord } from "../../protocol/results.ts";
import { stageNames } from "../../protocol/results.ts";
import type { Text } from "../../protocol/text.ts";
import { inEnglish, isQuoted, quoted, say } from "../../words/text.ts";
import { isId } from "../base/ids.ts";
import type { Project } from "../config/project.ts";
import { isStageRunning } from "./lock.ts";

/** A run as it is now: one that says it runs, and whose process is gone, has ended. The only place that decides this. */
export function asItIsNow(project: Project, run: RunRecord): RunRecord {
  if (run.state !== "running") return run;
  const { working } = run;
  // A former version wrote no more than this, whatever became of the run.
  if (!working)
    return { ...run, state: "cancelled", ...because(say`It was stopped before its first stage was done.`) };
  const known = stageNames.includes(working.stage) && isId("key", working.key);
  if (known && isStageRunning(project, working.stage, working.key)) return run;
  return {
    ...run,
    state: "failed",
    working: null,
    ...because(
      say`The process of ${working.stage} ended without a message: it was killed, or the machine went down. Run it again: it goes on where it was.`,
    ),
  };
}

/** Why a run ended, as a run.json holds it. */
export function because(text: Text | null): Pick<RunRecord, "reason" | "reasonWords"> {
  return {
    reason: text && inEnglish(text),
    reasonWords: text === null || isQuoted(text) ? undefined : text,
  };
}

/** The same as data; a former version may have written a reason beside words that are not its own. */
export function reasonOf({ reason, reasonWords }: RunRecord): Text | null {
  if (!reason) return null;
  return reasonWords && inEnglish(reasonWords) === reason ? reasonWords : quoted(reason);
}
