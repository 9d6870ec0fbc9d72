import type { JobEvent, TimedProgress } from "../../protocol/jobs.ts";
import type { Progress } from "../../protocol/progress.ts";
import { rate } from "../../words/progress.ts";
import { english } from "../../words/translate.ts";

/** A trainer's message as progress over all of its epochs. */
export function trainerProgress(event: JobEvent & { type: "trainer" }): Progress | undefined {
  const { message, stage } = event;
  if (message.type !== "progress") return undefined;
  const training = message.phase === "train";
  return {
    stage,
    step: training ? `epoch ${message.epoch} of ${message.epochs}` : message.phase,
    done: training ? (message.epoch - 1) * message.steps + message.step : message.step,
    total: training ? message.steps * message.epochs : message.steps,
    unit: "steps",
    detail: message.imagesPerS > 0 ? rate(english, message.imagesPerS, "images") : undefined,
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
