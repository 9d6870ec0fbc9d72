import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type {
  TeacherAnswer,
  TeacherHello,
  TeacherMessage,
  TeacherOpen,
  TeacherQuestion,
  TeacherRequest,
} from "../../../protocol/teacher.ts";
import { quoted, say } from "../../../words/text.ts";
import { LeafError, type LeafErrorCode, throwIfCancelled } from "../../base/errors.ts";
import { spawnGroup, stopGroup } from "../../base/processes.ts";
import { pythonSource, trainerEnvironment } from "../../python/environment.ts";
import { parseTeacherMessage } from "./messages.ts";

export interface TeacherChild {
  hello: TeacherHello;
  /** Whether it can be asked. */
  alive(): boolean;
  /** `supply` gives the images that the teacher has not seen. Aborting ends the child with its whole group. */
  ask(question: TeacherQuestion, supply: Supply, signal?: AbortSignal): Promise<TeacherAnswer[]>;
  close(): Promise<void>;
}

/** An image as a message, or why it cannot be read. */
export type Supply = (hash: string) => Promise<TeacherRequest>;

interface Pending {
  supply: Supply;
  resolve(answers: TeacherAnswer[]): void;
  reject(error: unknown): void;
}

/** Images decoded at once for the child; more would only wait in memory. */
const supplied = 2;

/**
 * Starts a teacher and waits until its model is loaded. Throws LeafError `environment` with the child's own sentence, or
 * `cancelled`.
 */
export async function startTeacherChild(
  interpreter: string,
  opening: TeacherOpen,
  signal?: AbortSignal,
): Promise<TeacherChild> {
  throwIfCancelled(signal);
  const child = spawnGroup(interpreter, ["-m", "leaf.teacher"], {
    // Not where the command was given: Python looks there for modules.
    cwd: pythonSource(),
    env: {
      ...trainerEnvironment(),
      HF_HUB_DISABLE_PROGRESS_BARS: "1",
      ...(opening.local ? { HF_HUB_OFFLINE: "1" } : {}),
    },
    // It ends itself when its standard input closes: even `kill -9` of the engine leaves no process.
    stdio: ["pipe", "pipe", "pipe"],
  });
  const talk = conversation(child, interpreter);
  const onAbort = () => stopGroup(child);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await talk.send(opening);
    const hello = await talk.hello;
    return { hello, alive: talk.alive, ask: talk.ask, close: talk.close };
  } catch (error) {
    await talk.close();
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function conversation(child: ChildProcess, interpreter: string) {
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let lastLine = "";
  let failure: LeafError | undefined;
  let ended = false;
  let greet: (hello: TeacherHello) => void;
  let refuse: (error: unknown) => void;
  const hello = new Promise<TeacherHello>((resolve, reject) => {
    greet = resolve;
    refuse = reject;
  });
  hello.catch(() => {}); // Told where it is awaited.

  child.stdin!.on("error", () => {}); // A dead child is told by its exit.
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    lastLine = text.trim().split("\n").at(-1) || lastLine;
  });
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const message = parseTeacherMessage(line);
    if (message) receive(message);
  });
  const exit = new Promise<void>((resolve) => {
    const end = (error: LeafError) => {
      ended = true;
      refuse(error);
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
      resolve();
    };
    child.once("error", (error) =>
      end(
        new LeafError(
          "environment",
          say`Cannot start the Python interpreter ${interpreter} (${error.message}).`,
          {
            remedy: say`Run \`leaf env\`, or set \`python.interpreter\`.`,
          },
        ),
      ),
    );
    child.once("close", (code, signal) => end(failure ?? explainEnd(code, signal, lastLine, interpreter)));
  });

  /** Waits while the pipe is full, so that pictures do not pile up in memory. */
  async function send(request: TeacherRequest): Promise<void> {
    if (ended || child.stdin!.destroyed) return;
    if (!child.stdin!.write(`${JSON.stringify(request)}\n`)) {
      await Promise.race([once(child.stdin!, "drain").catch(() => {}), exit]);
    }
  }

  function receive(message: TeacherMessage): void {
    switch (message.type) {
      case "hello":
        greet(message);
        return;
      case "need":
        void supplyAll(message.id, message.images);
        return;
      case "answer":
        take(message.id)?.resolve(message.answers);
        return;
      case "error": {
        const error = new LeafError(codeOf(message.code), quoted(message.message), {
          remedy: message.remedy ? quoted(message.remedy) : undefined,
        });
        if (message.id === null) failure = error;
        else take(message.id)?.reject(error);
      }
    }
  }

  function take(id: number): Pending | undefined {
    const found = pending.get(id);
    pending.delete(id);
    return found;
  }

  async function supplyAll(id: number, images: string[]): Promise<void> {
    const queue = [...images];
    const worker = async () => {
      for (let image = queue.shift(); image !== undefined; image = queue.shift()) {
        const waiting = pending.get(id);
        if (!waiting) return;
        try {
          await send(await waiting.supply(image));
        } catch (error) {
          take(id)?.reject(error);
        }
      }
    };
    await Promise.all(Array.from({ length: supplied }, worker));
  }

  async function ask(
    question: TeacherQuestion,
    supply: Supply,
    signal?: AbortSignal,
  ): Promise<TeacherAnswer[]> {
    throwIfCancelled(signal);
    const id = nextId++;
    const onAbort = () => stopGroup(child);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await new Promise<TeacherAnswer[]>((resolve, reject) => {
        pending.set(id, { supply, resolve, reject });
        if (ended) take(id)?.reject(failure ?? new LeafError("failed", say`The teacher has ended.`));
        else void send({ v: 1, id, ...question });
      });
    } catch (error) {
      if (signal?.aborted) await exit;
      throwIfCancelled(signal);
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async function close(): Promise<void> {
    if (!ended) {
      child.stdin!.end();
      stopGroup(child);
    }
    await exit;
  }

  return { hello, send, ask, close, alive: () => !ended };
}

function codeOf(code: string): LeafErrorCode {
  return code === "environment" || code === "oom" ? "environment" : code === "input" ? "input" : "failed";
}

function explainEnd(
  code: number | null,
  signal: NodeJS.Signals | null,
  lastLine: string,
  interpreter: string,
): LeafError {
  const missing = /No module named '?([\w.]+)/.exec(lastLine)?.[1];
  if (missing) {
    return new LeafError("environment", say`${interpreter} has no module ${missing}.`, {
      remedy: say`Run \`leaf env\` to set up the Python environment.`,
    });
  }
  if (signal === "SIGKILL") {
    return new LeafError("failed", say`The teacher's process was killed, often because memory ran out.`, {
      remedy: say`Lower \`teacher.featureMemory\` or choose a smaller model, and run it again: finished labels are kept.`,
    });
  }
  return new LeafError(
    "failed",
    say`The teacher's process ended (${signal ?? say`exit ${code ?? ""}`}): ${lastLine || say`it said nothing`}.`,
    { remedy: say`Run it again: finished labels are kept.` },
  );
}
