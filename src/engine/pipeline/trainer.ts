import { createWriteStream } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { trainerMessage } from "../../protocol/schema/trainer.ts";
import type { TrainerDone, TrainerJob, TrainerMessage } from "../../protocol/trainer.ts";
import { quoted, say } from "../../words/text.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { writeFileAtomic } from "../base/files.ts";
import { parseAs } from "../base/json.ts";
import { spawnGroup, stopGroup } from "../base/processes.ts";
import { redact } from "../base/redact.ts";
import { pythonSource, trainerEnvironment } from "../python/environment.ts";

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
  const child = spawnGroup(interpreter, [...launch, "-m", "leaf", jobFile], {
    cwd: job.out,
    env: { ...trainerEnvironment(), LEAF_PARENT_PIPE: "1" },
    // The trainer ends itself when this pipe closes: even `kill -9` of the engine leaves no process.
    stdio: ["pipe", "pipe", "pipe"],
  });
  const onAbort = () => stopGroup(child);
  signal?.addEventListener("abort", onAbort, { once: true });

  let done: TrainerDone | undefined;
  let failure: LeafError | undefined;
  let lastLine = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    log.write(redact(text));
    lastLine = text.trim().split("\n").at(-1) || lastLine;
  });
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const message = parseMessage(line);
    if (!message) {
      log.write(`${redact(line)}\n`);
      return;
    }
    if (message.type === "done") done = message;
    if (message.type === "error") {
      const code = message.code === "environment" ? "environment" : "failed";
      failure = new LeafError(code, quoted(message.message), {
        remedy: message.remedy ? quoted(message.remedy) : undefined,
      });
    }
    onMessage?.(message);
  });
  try {
    const exit = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (error) => {
        const message = say`Cannot start the Python interpreter ${interpreter} (${error.message}).`;
        reject(
          new LeafError("environment", message, {
            remedy: say`Run \`leaf env\`, or set \`python.interpreter\`.`,
          }),
        );
      });
      child.once("close", resolve);
    });
    if (done && exit === 0) return done;
    throwIfCancelled(signal);
    if (failure) throw failure;
    const missing = /No module named '?([\w.]+)/.exec(lastLine)?.[1];
    if (missing) {
      throw new LeafError("environment", say`${interpreter} has no module ${missing}.`, {
        remedy: say`Run \`leaf env\` to set up the training environment.`,
      });
    }
    throw new LeafError(
      "failed",
      say`Training ended early (exit ${exit ?? say`by a signal`}): ${lastLine || say`it said nothing`}.`,
      {
        file: path.join(job.out, "trainer.log"),
        remedy: say`See trainer.log; the same command goes on from the last checkpoint. The package is in ${pythonSource()}.`,
      },
    );
  } finally {
    signal?.removeEventListener("abort", onAbort);
    log.end();
  }
}

/** A line of the protocol, or undefined for anything a library may have printed. */
export function parseMessage(line: string): TrainerMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  const read = parseAs<TrainerMessage>(line, trainerMessage);
  return read.ok ? read.value : undefined;
}
