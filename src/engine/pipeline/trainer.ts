import { createWriteStream } from "node:fs";
import path from "node:path";
import { trainerMessage } from "../../protocol/schema/trainer.ts";
import type { TrainerDone, TrainerJob, TrainerMessage } from "../../protocol/trainer.ts";
import { quoted, say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import { parseAs } from "../base/json.ts";
import { startLineChild } from "../base/lineChild.ts";
import { redact } from "../base/redact.ts";
import { pythonSource, trainerEnvironment } from "../python/environment.ts";
import { cannotStart, lackedModule, lastLine } from "../python/run.ts";

export interface TrainOptions {
  interpreter: string;
  job: TrainerJob;
  /** Processes under torchrun; 1 runs without it. */
  processes: number;
  signal?: AbortSignal;
  onMessage?: (message: TrainerMessage) => void;
}

/**
 * Runs one training job in a Python child and resolves with its `done` message.
 * The job file, the trainer's log and all it writes are in `job.out`; a job that was cut off goes on from its
 * last checkpoint. Throws LeafError `cancelled`, `environment` or `failed` with the trainer's own sentence.
 */
export async function train({
  interpreter,
  job,
  processes,
  signal,
  onMessage,
}: TrainOptions): Promise<TrainerDone> {
  throwIfCancelled(signal);
  const jobFile = path.join(job.out, "job.json");
  await writeFileAtomic(jobFile, `${JSON.stringify(job, null, 2)}\n`);
  const log = createWriteStream(path.join(job.out, "trainer.log"), { flags: "a" });
  log.on("error", () => {}); // A log that cannot be written must not end the training.
  const launch =
    processes > 1
      ? ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", String(processes)]
      : [];
  let done: TrainerDone | undefined;
  let failure: LeafError | undefined;
  // The trainer ends itself when its standard input closes: even `kill -9` of the engine leaves no process.
  const child = startLineChild(interpreter, [...launch, "-m", "leaf", jobFile], {
    cwd: job.out,
    env: { ...trainerEnvironment(), LEAF_PARENT_PIPE: "1" },
    signal,
    parse: parseMessage,
    onOther: (line) => log.write(`${redact(line)}\n`),
    onStderr: (text) => log.write(redact(text)),
    onMessage(message) {
      if (message.type === "done") done = message;
      if (message.type === "error") {
        const code = message.code === "environment" ? "environment" : "failed";
        failure = new LeafError(code, quoted(message.message), {
          remedy: message.remedy ? quoted(message.remedy) : undefined,
        });
      }
      onMessage?.(message);
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
      remedy: say`See trainer.log; the same command goes on from the last checkpoint. The package is in ${pythonSource()}.`,
    })
  );
}

/** A line of the protocol, or undefined for anything a library may have printed. */
export function parseMessage(line: string): TrainerMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  const read = parseAs<TrainerMessage>(line, trainerMessage);
  return read.ok ? read.value : undefined;
}
