import { existsSync } from "node:fs";
import type { JobEvent, JobRequest } from "../../protocol/jobs.ts";
import type { Progress } from "../../protocol/progress.ts";
import { onDamagedFile } from "../base/damage.ts";
import { failureOf, LeafError } from "../errors.ts";
import { openExperiment } from "../experiments/file.ts";
import { runExperiment } from "../experiments/run.ts";
import { openProject, type Project } from "../project.ts";
import { setUpEnvironment } from "../pythonEnv.ts";
import { calibrateStage } from "../stages/calibrate.ts";
import { distillStage } from "../stages/distill.ts";
import { labelStage } from "../stages/label.ts";
import { evaluateStudents, runPipeline } from "../stages/pipeline.ts";
import type { StageOptions } from "../stages/stage.ts";
import { appendEvent, readAttachment, readRequest, stopFile, writeRequest } from "./files.ts";

const lookEveryMs = 1_000;
const progressEveryMs = 150;

/**
 * The body of a job's own process: does what `job.json` in `dir` says and tells it in `events.jsonl`. Never throws for the
 * work's own failures: they are the last event. Returns the exit code.
 */
export async function workOnJob(dir: string, signal: AbortSignal): Promise<number> {
  const request = await readRequest(dir);
  if (!request) {
    throw new LeafError("usage", `${dir} is not the folder of a job.`, {
      remedy: "Start a stage by its own command, such as `leaf run`.",
    });
  }
  await writeRequest(dir, { ...request, pid: process.pid });
  const controller = new AbortController();
  signal.addEventListener("abort", () => controller.abort());
  const watch = setInterval(async () => {
    if (existsSync(stopFile(dir)) || (await isForsaken(dir, request))) controller.abort();
  }, lookEveryMs);
  const tell = (event: Told) => appendEvent(dir, { at: Date.now(), ...event } as JobEvent);
  const listening = onDamagedFile((message) => tell({ type: "warning", message }));
  try {
    const project = await openProject(request.configFile);
    const result = await work(project, request, stageOptions(tell, controller.signal));
    tell({ type: "end", state: "done", result });
    return 0;
  } catch (error) {
    const failure = failureOf(error);
    const cancelled = failure.code === "cancelled" || controller.signal.aborted;
    tell(cancelled ? { type: "end", state: "cancelled" } : { type: "end", state: "failed", failure });
    if (failure.code === "internal" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return cancelled ? 130 : 1;
  } finally {
    listening.dispose();
    clearInterval(watch);
  }
}

type Told = JobEvent extends infer E ? (E extends JobEvent ? Omit<E, "at"> : never) : never;

async function work(project: Project, request: JobRequest, options: StageOptions): Promise<unknown> {
  switch (request.kind) {
    case "run":
      return runPipeline(project, options);
    case "env":
      return setUpEnvironment(options);
    case "experiment": {
      const { signal, onProgress, onWarning } = options;
      return runExperiment(await openExperiment(request.experiment ?? ""), { signal, onProgress, onWarning });
    }
    case "label":
      return one("label", labelStage);
    case "distill":
      return one("distill", distillStage);
    case "calibrate":
      return one("calibrate", calibrateStage);
    case "evaluate":
      return one("evaluate", evaluateStudents);
  }

  async function one<T>(
    stage: "label" | "distill" | "calibrate" | "evaluate",
    run: (project: Project, options: StageOptions) => Promise<T>,
  ): Promise<T> {
    const result = await run(project, options);
    options.onStage?.(stage, result);
    return result;
  }
}

/** Events of one job; progress of the same step at most some times a second. */
function stageOptions(tell: (event: Told) => void, signal: AbortSignal): StageOptions {
  let [told, step] = [0, ""];
  return {
    signal,
    onProgress(progress: Progress) {
      const [now, name] = [Date.now(), `${progress.stage} ${progress.step}`];
      const last = progress.done === progress.total;
      if (name === step && !last && now - told < progressEveryMs) return;
      [told, step] = [now, name];
      tell({ type: "progress", progress });
    },
    onTrainer(stage, message) {
      if (message.type === "progress" && Date.now() - told < progressEveryMs) return;
      if (message.type === "progress") told = Date.now();
      tell({ type: "trainer", stage, message });
    },
    onWarning: (message) => tell({ type: "warning", message }),
    onStage: (stage, result) => tell({ type: "stage", stage, result }),
  };
}

async function isForsaken(dir: string, request: JobRequest): Promise<boolean> {
  const attachment = await readAttachment(dir).catch(() => undefined);
  if (attachment?.mode === "released") return false;
  return Date.now() - (attachment?.at ?? Date.parse(request.started)) > request.patienceMs;
}
