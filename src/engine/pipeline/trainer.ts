import { createWriteStream } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import type {
  BackboneDone,
  BackboneJob,
  FitJob,
  HeadDone,
  HeadJob,
  HeadMessage,
} from "../../protocol/head.ts";
import { headMessage } from "../../protocol/schema/head.ts";
import { trainerMessage } from "../../protocol/schema/trainer.ts";
import type { Text } from "../../protocol/text.ts";
import type { TrainerDone, TrainerJob, TrainerMessage } from "../../protocol/trainer.ts";
import { quoted, say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import { parseAs } from "../base/json.ts";
import { startLineChild } from "../base/lineChild.ts";
import { redact } from "../base/redact.ts";
import { pythonSource, trainerEnvironment } from "../python/environment.ts";
import { cannotStart, lackedModule, lastLine } from "../python/run.ts";
import { nodeEnvironment, type Torchrun, torchrunArguments } from "./launch.ts";

export interface TrainOptions {
  interpreter: string;
  job: TrainerJob;
  /** By torchrun, where there are several processes or machines. */
  torchrun?: Torchrun & { id: string };
  signal?: AbortSignal;
  onMessage?: (message: TrainerMessage) => void;
}

/**
 * Runs one training job in a Python child and resolves with its `done` message.
 * The job file, the trainer's log and all it writes are in `job.out`; a job that was cut off goes on from its
 * last checkpoint. Throws LeafError `cancelled`, `environment` or `failed` with the trainer's own sentence.
 */
export async function train({ torchrun, ...options }: TrainOptions): Promise<TrainerDone> {
  return (await carryOutJob({
    ...options,
    launch: [...(torchrun ? torchrunArguments(torchrun, torchrun.id, true) : []), "-m", "leaf"],
    env: torchrun && nodeEnvironment(torchrun, true),
    schema: trainerMessage,
    ends: "done",
    again: say`See trainer.log; the same command goes on from the last checkpoint. The package is in ${pythonSource()}.`,
  })) as TrainerDone;
}

type HeadOptions<Job> = Pick<TrainOptions, "interpreter" | "signal"> & { job: Job };

/** Fits the closed form, likewise; it needs no PyTorch. */
export async function fitHead(options: HeadOptions<FitJob>): Promise<HeadDone> {
  return (await headJob(options, "fitted")) as HeadDone;
}

/** Exports a network as it comes, likewise. */
export async function exportBackbone(options: HeadOptions<BackboneJob>): Promise<BackboneDone> {
  return (await headJob(options, "exported")) as BackboneDone;
}

function headJob(options: HeadOptions<HeadJob>, ends: string) {
  const again = say`See trainer.log. The package is in ${pythonSource()}.`;
  return carryOutJob({ ...options, launch: ["-m", "leaf.head"], schema: headMessage, ends, again });
}

interface JobOptions<M> {
  interpreter: string;
  job: { out: string };
  signal?: AbortSignal;
  onMessage?: (message: M) => void;
  /** What Python is started with, before the job file. */
  launch: string[];
  env?: NodeJS.ProcessEnv;
  schema: z.ZodType<M>;
  /** The type of the message that says that all is done. */
  ends: string;
  again: Text;
}

/** One job in a Python child; resolves with the message that ends it. */
async function carryOutJob<M extends TrainerMessage | HeadMessage>(options: JobOptions<M>): Promise<M> {
  const { interpreter, job, signal } = options;
  throwIfCancelled(signal);
  const jobFile = path.join(job.out, "job.json");
  await writeFileAtomic(jobFile, `${JSON.stringify(job, null, 2)}\n`);
  const log = createWriteStream(path.join(job.out, "trainer.log"), { flags: "a" });
  log.on("error", () => {}); // A log that cannot be written must not end the training.
  let done: M | undefined;
  let failure: LeafError | undefined;
  // The trainer ends itself when its standard input closes: even `kill -9` of the engine leaves no process.
  const child = startLineChild(interpreter, [...options.launch, jobFile], {
    cwd: job.out,
    env: { ...trainerEnvironment(), ...options.env, LEAF_PARENT_PIPE: "1" },
    signal,
    parse: (line) => messageOf(line, options.schema),
    onOther: (line) => log.write(`${redact(line)}\n`),
    onStderr: (text) => log.write(redact(text)),
    onMessage(message) {
      if (message.type === options.ends) done = message;
      if (message.type === "error") {
        const code = message.code === "environment" ? "environment" : "failed";
        failure = new LeafError(code, quoted(message.message), {
          remedy: message.remedy ? quoted(message.remedy) : undefined,
        });
      }
      options.onMessage?.(message);
    },
  });
  const { code, error, fault } = await child.exit;
  log.end();
  if (error) throw cannotStart(interpreter, error);
  if (done && code === 0) return done;
  throwIfCancelled(signal);
  if (failure) throw failure;
  const said = fault ?? (lastLine(child.stderr()) || say`it said nothing`);
  throw (
    lackedModule(interpreter, child.stderr()) ??
    new LeafError("failed", say`Training ended early (exit ${code ?? say`by a signal`}): ${said}.`, {
      file: path.join(job.out, "trainer.log"),
      remedy: options.again,
    })
  );
}

/** A line of the trainer, or undefined for anything a library may have printed. */
export function parseMessage(line: string): TrainerMessage | undefined {
  return messageOf<TrainerMessage>(line, trainerMessage);
}

function messageOf<M>(line: string, schema: z.ZodType<M>): M | undefined {
  if (!line.startsWith("{")) return undefined;
  const read = parseAs<M>(line, schema);
  return read.ok ? read.value : undefined;
}
