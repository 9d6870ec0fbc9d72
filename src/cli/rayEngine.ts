import { LeafError } from "../engine/base/errors.ts";
import type { ClusterOptions } from "../engine/cluster/carryOut.ts";
import { scoreOnCluster } from "../engine/cluster/score.ts";
import type { Project } from "../engine/config/project.ts";
import { duration } from "../words/duration.ts";
import { count } from "../words/figure.ts";
import { studentWords } from "../words/student.ts";
import { say } from "../words/text.ts";
import { english } from "../words/translate.ts";
import type { CliContext } from "./context.ts";
import { t, worded } from "./locale.ts";
import { stopping } from "./stopping.ts";
import { wholeNumber } from "./wholeNumber.ts";

/** What `--engine ray` takes besides. */
export interface RayArguments {
  engine: string;
  address?: string;
  workers?: string;
  workerCpus: string;
}

/** Ray gives its processes some seconds to end. */
const stopsWithinMs = 15_000;

export function onRay({ engine }: RayArguments): boolean {
  if (engine === "local" || engine === "ray") return engine === "ray";
  throw new LeafError("usage", say`--engine takes local or ray, not ${engine}.`);
}

/** Checked, before anything starts; from here on a stop may take as long as Ray needs for it. */
export function clusterOptions({ address, workers, workerCpus }: RayArguments): ClusterOptions {
  stopping.withinMs = stopsWithinMs;
  return {
    address,
    workers: workers === undefined ? undefined : wholeNumber("--workers", workers, 1, 100_000),
    cpus: wholeNumber("--worker-cpus", workerCpus, 1, 1024),
  };
}

export async function scoreOnRay(
  context: CliContext,
  project: Project | undefined,
  paths: string[],
  options: RayArguments & { student?: string; out?: string; csv?: boolean; strict?: boolean },
): Promise<void> {
  if (options.out === undefined)
    throw new LeafError("usage", say`--engine ray needs a folder for the scores.`, {
      remedy: say`Name it with --out.`,
    });
  if (options.csv || paths.includes("-"))
    throw new LeafError("usage", say`--engine ray writes Parquet files alone, and reads no standard input.`);
  const result = await scoreOnCluster(paths, {
    ...clusterOptions(options),
    out: options.out,
    student: options.student,
    project,
    signal: context.signal,
    onProgress: context.onProgress,
    onNote: (message) => context.note(worded(message)),
  });
  const { scored, failed, known, seconds, out } = result;
  context.note(`Scored by ${studentWords(english, result.student)}.`);
  context.print(
    result,
    `${count(scored)} images scored, ${count(failed)} failed, ${count(known)} known already, in ${duration(t, seconds)}: ${out}`,
  );
  if (options.strict && failed > 0) process.exitCode = 1;
}
