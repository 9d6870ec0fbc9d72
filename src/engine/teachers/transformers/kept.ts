import path from "node:path";
import type { TeacherAnswer, TeacherQuestion } from "../../../protocol/teacher.ts";
import type { Text } from "../../../protocol/text.ts";
import { say } from "../../../words/text.ts";
import type { ClipTeacherConfig, TransformersTeacherConfig } from "../../config/teacher.ts";
import { type Hello, type Opening, type Supply, startTeacherChild, type TeacherChild } from "./child.ts";

/** A teacher's process, started when it is first asked and again if it has ended since. */
export interface KeptChild {
  ask(question: TeacherQuestion, supply: Supply, signal?: AbortSignal): Promise<TeacherAnswer[]>;
  /** What it said of itself; undefined before it was started. */
  about(): Text | undefined;
  close(): Promise<void>;
}

/** What opens a model, whatever it is asked: `folder` where it is a local one. */
export function openingOf(
  config: Pick<
    TransformersTeacherConfig | ClipTeacherConfig,
    "model" | "revision" | "device" | "dtype" | "batch"
  >,
  folder: string | undefined,
) {
  const { model, revision, device, dtype, batch } = config;
  return {
    v: 1 as const,
    model: folder ?? model,
    local: folder !== undefined,
    revision: revision ?? null,
    device,
    dtype,
    batch,
  };
}

/** Several forward passes a call, so that what is alike finds each other; the images of one call are decoded while the model is busy with another. */
export const pace = ({ batch }: { batch: number }) => ({ batchSize: 2 * batch, concurrency: 2 });

/** `describe`: one line of what a teacher said when it was open. What is wrong with model or device is told by the first question. */
export function keptChild<H extends Hello>(
  interpreter: string,
  opening: Opening,
  describe: (name: string, hello: H) => Text,
  onNote?: (note: Text) => void,
): KeptChild {
  const name = opening.local ? path.basename(opening.model) : opening.model;
  let starting: Promise<TeacherChild> | undefined;
  let about: Text | undefined;

  /** The child that runs, or a new one. Calls at the same time share it. */
  async function running(signal?: AbortSignal): Promise<TeacherChild> {
    if (starting && !(await starting.then((child) => child.alive()).catch(() => false))) starting = undefined;
    starting ??= start(signal);
    return starting;
  }

  async function start(signal?: AbortSignal): Promise<TeacherChild> {
    onNote?.(say`loading ${name}`);
    const child = await startTeacherChild(interpreter, opening, signal);
    about = describe(name, child.hello as H);
    onNote?.(about);
    return child;
  }

  return {
    ask: async (question, supply, signal) => (await running(signal)).ask(question, supply, signal),
    about: () => about,
    async close() {
      const child = await starting?.catch(() => undefined);
      starting = undefined;
      await child?.close();
    },
  };
}
