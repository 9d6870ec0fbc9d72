import { existsSync } from "node:fs";
import path from "node:path";
import type { Cluster, JobEvent, JobRequest } from "../../protocol/jobs.ts";
import type { Progress } from "../../protocol/progress.ts";
import type { StageName } from "../../protocol/results.ts";
import { duration } from "../../words/duration.ts";
import { inEnglish, say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { onDamagedFile } from "../base/damage.ts";
import { logError, stackOf } from "../base/errorLog.ts";
import { LeafError } from "../base/errors.ts";
import { holderWords, holdLock } from "../base/lockHolder.ts";
import { failureOf } from "../base/unexpected.ts";
import { labelOnCluster } from "../cluster/label.ts";
import { openProject, type Project } from "../config/project.ts";
import { openExperiment } from "../experiments/file.ts";
import { runExperiment } from "../experiments/run.ts";
import { evaluateStudents, runPipeline } from "../pipeline/pipeline.ts";
import type { StageOptions } from "../pipeline/stage.ts";
import { calibrateStage } from "../pipeline/stages/calibrate.ts";
import { distillStage } from "../pipeline/stages/distill.ts";
import { labelStage } from "../pipeline/stages/label.ts";
import { setUpEnvironment } from "../python/environment.ts";
import { appendEvent, lockFile, readAttachment, readRequest, stopFile } from "./files.ts";
import { listening } from "./listening.ts";

const lookEveryMs = 1_000;
const progressEveryMs = 150;

/**
 * The body of a job's own process: does what `job.json` in `dir` says and tells it in `events.jsonl`. Never throws for the
 * work's own failures: they are the last event. Returns the exit code.
 */
export async function workOnJob(dir: string, signal: AbortSignal): Promise<number> {
  const request = await readRequest(dir);
  if (!request) {
    throw new LeafError("usage", say`${dir} is not the folder of a job.`, {
      remedy: say`Start a stage by its own command, such as \`leaf run\`.`,
    });
  }
  const lock = await holdLock(lockFile(dir));
  if (!lock) {
    throw new LeafError(
      "failed",
      say`Another process works on this job (${await holderWords(lockFile(dir))}).`,
      {
        remedy: say`Start the stage again.`,
      },
    );
  }
  const controller = new AbortController();
  signal.addEventListener("abort", () => controller.abort());
  const { isHeard } = listening({ patienceMs: request.patienceMs, everyMs: lookEveryMs });
  let forsaken: LeafError | undefined;
  const watch = setInterval(async () => {
    if (existsSync(stopFile(dir))) return controller.abort();
    const attachment = await readAttachment(dir);
    if (isHeard(attachment?.text) || attachment?.released) return;
    forsaken ??= nobodyListens(request.patienceMs);
    controller.abort(forsaken);
  }, lookEveryMs);
  const tell = (event: Told) => appendEvent(dir, { at: Date.now(), ...event } as JobEvent);
  const damage = onDamagedFile((message) => tell({ type: "warning", message }));
  try {
    const project = await openProject(request.configFile);
    const result = await work(project, request, stageOptions(tell, controller.signal));
    tell({ type: "end", state: "done", result });
    return 0;
  } catch (error) {
    const doing = say`\`${request.kind}\` was at work`;
    const failure = failureOf(error, { doing });
    const cancelled = failure.code === "cancelled" || controller.signal.aborted;
    if (!cancelled) tell({ type: "end", state: "failed", failure });
    else
      tell({ type: "end", state: "cancelled", ...(forsaken && { failure: failureOf(forsaken, { doing }) }) });
    if (failure.code === "internal") {
      const leaf = path.join(path.dirname(request.configFile), ".leaf");
      if (!logError(leaf, error, inEnglish(doing))) process.stderr.write(`${stackOf(error)}\n`);
    }
    return cancelled ? 130 : 1;
  } finally {
    damage.dispose();
    clearInterval(watch);
    lock.release();
  }
}

function nobodyListens(patienceMs: number): LeafError {
  return new LeafError(
    "cancelled",
    say`Cancelled: no window listened for ${duration(english, patienceMs / 1000)}.`,
    {
      remedy: say`Run it again: it goes on where it was.`,
    },
  );
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
      return one("label", (of, given) =>
        request.cluster
          ? labelOnCluster(of, { ...given, ...placed(request.cluster) })
          : labelStage(of, given),
      );
    case "distill":
      return one("distill", distillStage);
    case "calibrate":
      return one("calibrate", calibrateStage);
    case "evaluate":
      return one("evaluate", evaluateStudents);
  }

  async function one<T>(
    stage: StageName,
    run: (project: Project, options: StageOptions) => Promise<T>,
  ): Promise<T> {
    const result = await run(project, options);
    options.onStage?.(stage, result);
    return result;
  }
}

const placed = ({ address, workerGpus }: Cluster) => ({
  address: address ?? undefined,
  cpus: 1,
  gpus: workerGpus,
});

/** Events of one job; progress of the same step at most some times a second. */
function stageOptions(tell: (event: Told) => void, signal: AbortSignal): StageOptions {
  let [told, step] = [Number.NEGATIVE_INFINITY, ""];
  return {
    signal,
    onProgress(progress: Progress) {
      const [now, name] = [performance.now(), `${progress.stage} ${progress.step}`];
      const last = progress.done === progress.total;
      if (name === step && !last && now - told < progressEveryMs) return;
      [told, step] = [now, name];
      tell({ type: "progress", progress });
    },
    onTrainer(stage, message) {
      if (message.type === "progress" && performance.now() - told < progressEveryMs) return;
      if (message.type === "progress") told = performance.now();
      tell({ type: "trainer", stage, message });
    },
    onWarning: (words) => tell({ type: "warning", message: inEnglish(words), words }),
    onStage: (stage, result) => tell({ type: "stage", stage, result }),
  };
}
