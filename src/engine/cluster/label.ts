import type { LabelJob } from "../../protocol/cluster.ts";
import type { LabelResult } from "../../protocol/results.ts";
import { counted, quoted, say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import type { Project } from "../config/project.ts";
import { membersOf, type OneTeacherConfig } from "../config/teacher.ts";
import { maxPixelsOf } from "../images/limits.ts";
import type { LabelOptions } from "../pipeline/stages/label/options.ts";
import { labelStage } from "../pipeline/stages/label.ts";
import type { Teacher, TeacherImage } from "../teachers/teacher.ts";
import { type ClusterOptions, placeOf, startClusterJob } from "./carryOut.ts";
import type { Answered, Greeting, NamedImage, Opening, Question, Reply } from "./teach.ts";

export interface ClusterLabelOptions extends LabelOptions, ClusterOptions {
  /** GPUs of each worker. */
  gpus: number;
}

/**
 * Labels as `labelStage` does, with the teacher on a Ray cluster: what is asked, in which order, what is stored and what counts as failed is
 * decided here. An answer is stored as it comes, so a run that was cut off goes on, whatever became of the cluster. Throws LeafErrors.
 */
export async function labelOnCluster(project: Project, options: ClusterLabelOptions): Promise<LabelResult> {
  for (const config of membersOf(project.config.teacher)) refuseUnshared(project, config);
  return labelStage(project, {
    ...options,
    open: (asked, config, { signal }) => openClusterTeacher(asked, config, { ...options, signal }),
  });
}

/** What one process alone can keep an eye on. */
function refuseUnshared(project: Project, config: OneTeacherConfig): void {
  const file = project.configFile;
  if (config.kind !== "openai") return;
  if (config.limit)
    throw new LeafError("usage", say`\`teacher.limit\` holds for one machine, and not on a cluster.`, {
      file,
      remedy: say`Take it out, or label without --engine ray. \`leaf label --estimate\` tells what it will cost.`,
    });
  if (config.serve)
    throw new LeafError("usage", say`LEAF starts no server of a teacher on a cluster.`, {
      file,
      remedy: say`Start it yourself and name it in \`teacher.endpoint\`.`,
    });
}

/** A teacher whose answers come from the cluster. At most as many are under way at once as an endpoint may be asked. */
export async function openClusterTeacher(
  project: Project,
  config: OneTeacherConfig,
  options: ClusterLabelOptions,
): Promise<Teacher> {
  const { signal } = options;
  const waiting = new Map<number, { resolve(line: string): void; reject(error: unknown): void }>();
  // Some more than can be answered at once, so that none waits for its next.
  const ahead = config.kind === "openai" ? Math.min(2 * config.concurrency + 4, 4096) : 2;
  const most =
    config.kind === "openai" ? Math.min(config.concurrency, options.workers ?? Infinity) : options.workers;
  const here = Promise.withResolvers<void>();
  let next = 0;
  let workers = 1;
  const { child, done } = await startClusterJob(
    (): LabelJob => ({
      ...placeOf({ ...options, workers: most }),
      kind: "label",
      gpus: options.gpus,
      ahead,
    }),
    {
      signal,
      onMessage(message) {
        if (message.type === "started") {
          ({ workers } = message);
          here.resolve();
          options.onNote?.(say`${counted(workers)} workers on ${counted(message.nodes)} nodes`);
        } else if (message.type === "answer") {
          waiting.get(message.id)?.resolve(message.line);
          waiting.delete(message.id);
        }
      },
    },
  );
  const over = done.then(
    () => new LeafError("failed", say`The cluster's job has ended.`),
    (error: unknown) => error,
  );
  void over.then((error) => {
    here.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  const ask = async <T>(question: Opening | Question): Promise<T> => {
    throwIfCancelled(signal);
    const id = next++;
    const line = await new Promise<string>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      void child.send({ v: 1, id, line: JSON.stringify(question) });
      void over.then(reject);
    });
    const reply = JSON.parse(line) as Reply<T>;
    if ("value" in reply) return reply.value;
    const { code, message, remedy } = reply.error;
    throw new LeafError(code === "environment" || code === "input" ? code : "failed", quoted(message), {
      remedy: remedy === undefined ? undefined : quoted(remedy),
    });
  };
  const close = async () => {
    child.process.stdin?.end();
    await over;
  };
  const judge = <T extends Answered>(question: Question) => ask<T>(question);
  try {
    await here.promise;
    const { python } = project.config;
    const greeting = await ask<Greeting>({
      config: sharedBy(workers, config),
      options: {
        root: project.root,
        interpreter: python.interpreter,
        precision: python.precision,
        maxPixels: maxPixelsOf(project.config),
        threads: options.cpus,
      },
    });
    const { explains, concurrency, ...teacher } = greeting;
    return {
      ...teacher,
      // Each worker has work, and the next batch.
      concurrency: config.kind === "openai" ? concurrency * workers : ahead * workers,
      judgePoints: (images) => judge({ kind: "points", images: images.map(named) }),
      judgePairs: (pairs, _signal, orders) =>
        judge({ kind: "pairs", pairs: pairs.map(([a, b]) => [named(a), named(b)]), orders }),
      ...(explains && {
        explain: (images: TeacherImage[]) => judge({ kind: "reasons", images: images.map(named) }),
      }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An endpoint has one limit, however many ask it: each asks its share. */
function sharedBy(workers: number, config: OneTeacherConfig): OneTeacherConfig {
  if (config.kind !== "openai") return config;
  return { ...config, concurrency: Math.max(1, Math.floor(config.concurrency / workers)) };
}

function named({ hash, name, path }: TeacherImage): NamedImage {
  if (path === undefined) throw new Error("An image of a project has a path.");
  return { hash, name, path };
}
