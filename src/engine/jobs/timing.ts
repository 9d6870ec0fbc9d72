import type { JobEvent, TimedProgress } from "../../protocol/jobs.ts";
import type { Progress } from "../../protocol/progress.ts";

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
    detail: message.imagesPerS > 0 ? `${message.imagesPerS.toFixed(0)} images/s` : undefined,
  };
}

/** Adds rate and time left: over the current step, not counting what was done when it began. */
export function progressTimer(): (progress: Progress, at: number) => TimedProgress {
  let [name, startedAt, doneAtStart] = ["", 0, 0];
  return (progress, at) => {
    const current = `${progress.stage} ${progress.step.replace(/\d+/g, "")}`;
    if (current !== name) [name, startedAt, doneAtStart] = [current, at, progress.done];
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
