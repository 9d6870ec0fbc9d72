import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { ExperimentResult, TrialResult } from "../../protocol/experiments.ts";
import { stageNames } from "../../protocol/results.ts";
import { quoted, say } from "../../words/text.ts";
import { LeafError, messageOf } from "../base/errors.ts";
import { trainerProgress } from "../base/progressTimer.ts";
import type { StageOptions } from "../pipeline/stage.ts";
import { compareArms } from "./compare.ts";
import type { OpenExperiment } from "./file.ts";
import { studentPredictions, teacherPredictions } from "./predictions.ts";
import { saveResult, summarise } from "./result.ts";
import { schedule } from "./schedule.ts";
import { besideTarget } from "./target.ts";
import { catalogs, finishTrial, nextStep, type Trial, trialsOf } from "./trial.ts";

export interface ExperimentOptions extends Pick<StageOptions, "signal" | "onProgress" | "onWarning"> {
  /** Trainings at the same time. */
  jobs?: number;
  /** A trial has ended, well or not. */
  onTrial?: (trial: Pick<Trial, "cell" | "seed" | "result">, done: number, total: number) => void;
}

/** One on a GPU, which a training fills; one for every four cores otherwise. */
export function defaultJobs(): number {
  if (existsSync("/proc/driver/nvidia/version")) return 1;
  return Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4)));
}

/**
 * Runs what is missing of an experiment: every label, distill, calibrate and evaluate stage once, however many rows stand
 * on it, the later stages first, so that whole rows come early. A stage that fails takes its rows with it and no others.
 * The result is written after each trial; a run that was cut off goes on where it was. Throws LeafError `cancelled` only.
 */
export async function runExperiment(
  open: OpenExperiment,
  options: ExperimentOptions = {},
): Promise<ExperimentResult> {
  const jobs = options.jobs ?? defaultJobs();
  const trials = trialsOf(open);
  const shelf = catalogs(options);
  const targetOf = ({ project }: Trial) => besideTarget(open.experiment, project.config);
  let ended = 0;
  const overall = () => ({ done: ended, total: trials.length });
  const threads = jobs > 1 ? Math.max(1, Math.floor(availableParallelism() / jobs)) : undefined;

  const progress = jobs > 1 ? inTurns(options.onProgress) : () => options.onProgress;

  try {
    await schedule(trials, {
      jobs,
      signal: options.signal,
      async next(trial) {
        const catalog = await shelf.of(trial);
        const step = await nextStep(trial, catalog);
        if (!step) {
          await finishTrial(trial, catalog, targetOf(trial), options.signal);
          return undefined;
        }
        const id = `${step.stage}/${step.key}`;
        return {
          id,
          rank: stageNames.indexOf(step.stage),
          // One teacher at a time: it may fill the GPU.
          exclusive: step.stage === "label",
          run: (sharers) =>
            step.run({
              ...forwarded(sharers, overall, { ...options, onProgress: progress(id) }),
              signal: options.signal,
              trustIndex: true,
              threads,
            }),
        };
      },
      async end(trial, error) {
        if (error !== undefined) {
          const { message, remedy } =
            error instanceof LeafError ? error.words : { message: quoted(messageOf(error)) };
          const reason = remedy ? say`${message} ${remedy}` : message;
          Object.assign(trial.result, { state: "failed", reason } satisfies Partial<TrialResult>);
        }
        options.onTrial?.(trial, ++ended, trials.length);
        await saveResult(open, await summarise(open, trials));
      },
    });
    const result = await summarise(open, trials);
    await compareArms(
      open,
      result,
      trials,
      async (trial) =>
        trial.result.evaluated === "teacher"
          ? teacherPredictions(trial.project, await shelf.of(trial))
          : studentPredictions(trial.project, trial.result.key!, targetOf(trial)),
      options.signal,
    );
    await saveResult(open, result);
    return result;
  } finally {
    shelf.close();
  }
}

const turnMs = 2000;

/** Work at the same time is shown in turns: a bar, or a line, that jumped between trainings would tell of none. */
function inTurns(sink: ExperimentOptions["onProgress"]): (id: string) => ExperimentOptions["onProgress"] {
  let [shown, since] = ["", Number.NEGATIVE_INFINITY];
  return (id) => (progress) => {
    if (id !== shown) {
      if (performance.now() - since < turnMs) return;
      [shown, since] = [id, performance.now()];
    }
    sink?.(progress);
  };
}

/** A stage's own progress under the name of the rows that wait for it. */
function forwarded(
  trials: readonly Trial[],
  overall: () => { done: number; total: number },
  { onProgress, onWarning }: ExperimentOptions,
): StageOptions {
  const name = () => {
    const [first, ...rest] = trials;
    if (!first) return "";
    return `${first.cell.name}, seed ${first.seed}${rest.length > 0 ? ` and ${rest.length} more` : ""}`;
  };
  const tell: StageOptions["onProgress"] = (progress) =>
    onProgress?.({ ...progress, step: `${name()}: ${progress.step}`, overall: overall() });
  return {
    onProgress: tell,
    onWarning: (message) => onWarning?.(say`${name()}: ${message}`),
    onTrainer(stage, message) {
      const progress = trainerProgress({ stage, message });
      if (progress) tell(progress);
    },
  };
}
