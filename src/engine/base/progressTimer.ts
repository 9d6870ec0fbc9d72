import type { JobEvent, TimedProgress } from "../../protocol/jobs.ts";
import type { Progress } from "../../protocol/progress.ts";
import { rateText } from "../../words/progress.ts";

/** A trainer's message as progress over all of its epochs; validation is the end of its epoch. */
export function trainerProgress({
  message,
  stage,
}: Pick<JobEvent & { type: "trainer" }, "message" | "stage">): Progress | undefined {
  if (message.type !== "progress" || message.phase === "validate") return undefined;
  const { phase, epoch, epochs, step, steps, imagesPerS } = message;
  // Loading has no steps.
  if (phase !== "train") return { stage, step: phase, done: step, total: steps || undefined, unit: "steps" };
  return {
    stage,
    step: `epoch ${epoch} of ${epochs}`,
    done: (epoch - 1) * steps + step,
    total: steps * epochs,
    unit: "steps",
    detail: imagesPerS ? rateText(imagesPerS, "images") : undefined,
  };
}

/** Longer than anything takes between two steps: the machine slept, or its clock was set. */
const longestGapMs = 10 * 60_000;

/**
 * Adds rate and time left: over the current step, not counting what was done when it began. Measured anew after a jump of the
 * clock.
 */
export function progressTimer(): (progress: Progress, at: number) => TimedProgress {
  let [name, startedAt, doneAtStart, last] = ["", 0, 0, 0];
  return (progress, at) => {
    const current = `${progress.stage} ${progress.step.replace(/\d+/g, "")}`;
    const jumped = at < last || at - last > longestGapMs;
    if (current !== name || jumped) [name, startedAt, doneAtStart] = [current, at, progress.done];
    last = at;
    const seconds = (at - startedAt) / 1000;
    const rate = seconds > 0.5 ? (progress.done - doneAtStart) / seconds : 0;
    const left = progress.total === undefined ? null : progress.total - progress.done;
    return {
      ...progress,
      rate: rate > 0 ? rate : null,
      secondsLeft: rate > 0 && left !== null ? Math.max(0, left) / rate : null,
    };
  };
}
