import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { ExperimentResult } from "../../protocol/experiments.ts";
import { isCancelled, LeafError, messageOf, throwIfCancelled } from "../errors.ts";
import { trainerProgress } from "../jobs/timing.ts";
import { type StageOptions, stageNames } from "../stages/stage.ts";
import { compareArms } from "./compare.ts";
import type { OpenExperiment } from "./file.ts";
import { studentPredictions, teacherPredictions } from "./predictions.ts";
import { saveResult, summarise } from "./result.ts";
import { catalogs, finishTrial, nextStep, type Step, type Trial, trialsOf } from "./trial.ts";

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

interface Work {
  trials: Trial[];
  ended: Promise<void>;
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
  /** Trials whose next step is not known yet, and those whose step waits for a place. */
  const undecided = new Set(trials);
  const ready = new Map<Trial, Step>();
  const running = new Map<string, Work>();
  const succeeded = new Set<string>();
  let ended = 0;

  async function end(trial: Trial, error?: unknown): Promise<void> {
    if (error !== undefined) {
      if (isCancelled(error)) throw error;
      const remedy = error instanceof LeafError && error.remedy ? ` ${error.remedy}` : "";
      Object.assign(trial.result, { state: "failed", reason: messageOf(error) + remedy });
    }
    options.onTrial?.(trial, ++ended, trials.length);
    await saveResult(open, await summarise(open, trials));
  }

  async function decide(trial: Trial): Promise<void> {
    undecided.delete(trial);
    try {
      const catalog = await shelf.of(trial);
      const step = await nextStep(trial, catalog);
      if (step) {
        if (succeeded.has(idOf(step))) {
          throw new LeafError("failed", `Images, scores or labels changed while ${step.stage} ran.`, {
            remedy: "Run the experiment again.",
          });
        }
        ready.set(trial, step);
        return;
      }
      await finishTrial(trial, catalog, options.signal);
    } catch (error) {
      await end(trial, error);
      return;
    }
    await end(trial);
  }

  function start(id: string, step: Step): void {
    const work: Work = { trials: [], ended: Promise.resolve() };
    running.set(id, work);
    const progress = forwarded(work, () => ({ done: ended, total: trials.length }), options);
    const threads = jobs > 1 ? Math.max(1, Math.floor(availableParallelism() / jobs)) : undefined;
    work.ended = step
      .run({ ...progress, signal: options.signal, trustIndex: true, threads })
      .then(
        () => {
          succeeded.add(id);
          for (const trial of work.trials) undecided.add(trial);
        },
        async (error: unknown) => {
          for (const trial of work.trials) await end(trial, error);
        },
      )
      .finally(() => running.delete(id));
    work.ended.catch(() => {}); // Awaited below; a second failure must not count as unhandled.
  }

  try {
    for (;;) {
      throwIfCancelled(options.signal);
      for (const trial of [...undecided]) {
        throwIfCancelled(options.signal);
        await decide(trial);
      }
      const order = [...ready].sort(
        ([a, x], [b, y]) => rank(y) - rank(x) || trials.indexOf(a) - trials.indexOf(b),
      );
      for (const [trial, step] of order) {
        const id = idOf(step);
        const alone = step.stage === "label" && [...running.keys()].some((one) => one.startsWith("label/"));
        if (!running.has(id) && (running.size >= jobs || alone)) continue;
        if (!running.has(id)) start(id, step);
        running.get(id)!.trials.push(trial);
        ready.delete(trial);
      }
      if (running.size > 0) await Promise.race([...running.values()].map((work) => work.ended));
      else if (undecided.size === 0) break;
    }
    const result = await summarise(open, trials);
    await compareArms(
      open,
      result,
      trials,
      async (trial) =>
        trial.result.evaluated === "teacher"
          ? teacherPredictions(trial.project, await shelf.of(trial))
          : studentPredictions(trial.project, trial.result.key!),
      options.signal,
    );
    await saveResult(open, result);
    return result;
  } finally {
    await Promise.allSettled([...running.values()].map((work) => work.ended));
    shelf.close();
  }
}

function idOf({ stage, key }: Step): string {
  return `${stage}/${key}`;
}

function rank({ stage }: Step): number {
  return stageNames.indexOf(stage);
}

/** A stage's own progress under the name of the rows that wait for it. */
function forwarded(
  work: Work,
  overall: () => { done: number; total: number },
  { onProgress, onWarning }: ExperimentOptions,
): StageOptions {
  const name = () => {
    const [first, ...rest] = work.trials;
    if (!first) return "";
    return `${first.cell.name}, seed ${first.seed}${rest.length > 0 ? ` and ${rest.length} more` : ""}`;
  };
  const tell: StageOptions["onProgress"] = (progress) =>
    onProgress?.({ ...progress, step: `${name()}: ${progress.step}`, overall: overall() });
  return {
    onProgress: tell,
    onWarning: (message) => onWarning?.(`${name()}: ${message}`),
    onTrainer(stage, message) {
      const progress = trainerProgress({ at: 0, type: "trainer", stage, message });
      if (progress) tell(progress);
    },
  };
}
