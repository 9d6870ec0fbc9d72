import type {
  ContrastiveHello,
  ContrastiveOpen,
  TeacherAnswer,
  TeacherHello,
  TeacherMessage,
  TeacherOpen,
  TeacherQuestion,
  TeacherRequest,
} from "../../../protocol/teacher.ts";
import { quoted, say } from "../../../words/text.ts";
import { LeafError, type LeafErrorCode, throwIfCancelled } from "../../base/errors.ts";
import { type LineChildExit, startLineChild } from "../../base/lineChild.ts";
import { pythonSource, trainerEnvironment } from "../../python/environment.ts";
import { cannotStart, lackedModule, lastLine } from "../../python/run.ts";
import { parseTeacherMessage } from "./messages.ts";

/** What opens a teacher, and what it then says of itself. */
export type Opening = TeacherOpen | ContrastiveOpen;
export type Hello = TeacherHello | ContrastiveHello;

export interface TeacherChild {
  hello: Hello;
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
  opening: Opening,
  signal?: AbortSignal,
): Promise<TeacherChild> {
  throwIfCancelled(signal);
  const talk = conversation(interpreter, {
    // Not where the command was given: Python looks there for modules.
    cwd: pythonSource(),
    env: {
      ...trainerEnvironment(),
      HF_HUB_DISABLE_PROGRESS_BARS: "1",
      ...(opening.local ? { HF_HUB_OFFLINE: "1" } : {}),
    },
  });
  signal?.addEventListener("abort", talk.stop, { once: true });
  try {
    await talk.send(opening);
    const hello = await talk.hello;
    return { hello, alive: talk.alive, ask: talk.ask, close: talk.close };
  } catch (error) {
    await talk.close();
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener("abort", talk.stop);
  }
}

function conversation(interpreter: string, options: { cwd: string; env: NodeJS.ProcessEnv }) {
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let failure: LeafError | undefined;
  let ended = false;
  let greet: (hello: Hello) => void;
  let refuse: (error: unknown) => void;
  const hello = new Promise<Hello>((resolve, reject) => {
    greet = resolve;
    refuse = reject;
  });
  hello.catch(() => {}); // Told where it is awaited.

  // It ends itself when its standard input closes: even `kill -9` of the engine leaves no process.
  const child = startLineChild(interpreter, ["-m", "leaf.teacher"], {
    ...options,
    parse: parseTeacherMessage,
    onMessage: receive,
  });
  const exit = child.exit.then((how) => {
    ended = true;
    const error = failure ?? explainEnd(how, child.stderr(), interpreter);
    refuse(error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  });

  function receive(message: TeacherMessage): void {
    switch (message.type) {
      case "hello":
      case "helloContrastive":
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
          await child.send(await waiting.supply(image));
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
    signal?.addEventListener("abort", child.stop, { once: true });
    try {
      return await new Promise<TeacherAnswer[]>((resolve, reject) => {
        pending.set(id, { supply, resolve, reject });
        if (ended) take(id)?.reject(failure ?? new LeafError("failed", say`The teacher has ended.`));
        else void child.send({ v: 1, id, ...question });
      });
    } catch (error) {
      if (signal?.aborted) await exit;
      throwIfCancelled(signal);
      throw error;
    } finally {
      signal?.removeEventListener("abort", child.stop);
    }
  }

  async function close(): Promise<void> {
    if (!ended) {
      child.process.stdin?.end();
      child.stop();
    }
    await exit;
  }

  return { hello, send: child.send, stop: child.stop, ask, close, alive: () => !ended };
}

function codeOf(code: string): LeafErrorCode {
  return code === "environment" || code === "oom" ? "environment" : code === "input" ? "input" : "failed";
}

function explainEnd(
  { code, signal, error, fault }: LineChildExit,
  stderr: string,
  interpreter: string,
): LeafError {
  if (error) return cannotStart(interpreter, error);
  if (!fault && signal === "SIGKILL") {
    return new LeafError("failed", say`The teacher's process was killed, often because memory ran out.`, {
      remedy: say`Lower \`teacher.featureMemory\` or choose a smaller model, and run it again: finished labels are kept.`,
    });
  }
  const said = fault ?? (lastLine(stderr) || say`it said nothing`);
  return (
    lackedModule(interpreter, stderr) ??
    new LeafError(
      "failed",
      say`The teacher's process ended (${signal ?? say`exit ${code ?? ""}`}): ${said}.`,
      {
        remedy: say`Run it again: finished labels are kept.`,
      },
    )
  );
}
