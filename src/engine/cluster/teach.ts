import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Text } from "../../protocol/text.ts";
import { LeafError, messageOf } from "../base/errors.ts";
import type { OneTeacherConfig } from "../config/teacher.ts";
import { createTeacher } from "../teachers/createTeacher.ts";
import type {
  Orders,
  PairPreference,
  PointJudgement,
  Reason,
  Teacher,
  TeacherImage,
  TeacherOptions,
} from "../teachers/teacher.ts";

/** What `leaf teach` and whoever started it say to each other: both are of the same version of LEAF. */
export interface Opening {
  config: OneTeacherConfig;
  options: Pick<TeacherOptions, "root" | "interpreter" | "precision" | "maxPixels" | "threads">;
}

/** What the driver must know of a teacher that is somewhere else. */
export interface Greeting extends Pick<Teacher, "kind" | "fingerprint" | "description" | "batchSize"> {
  concurrency: number;
  about?: Text;
  explains: boolean;
}

export interface NamedImage {
  hash: string;
  name: string;
  path: string;
}

export type Question =
  | { kind: "points" | "reasons"; images: NamedImage[] }
  | { kind: "pairs"; pairs: [NamedImage, NamedImage][]; orders?: Orders };

export type Answered = PointJudgement[] | PairPreference[] | Reason[];

/** `error`: it cannot be asked at all, and why. */
export type Reply<T> = { value: T } | { error: { code: string; message: string; remedy?: string } };

/**
 * Asks a teacher for whoever writes to `input`: a line is a number and a question, the first one its opening, and each is answered by a line
 * with this number, as soon as the teacher has answered. Ends with `input`.
 */
export async function teach(
  input: Readable,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let teacher: Promise<Teacher> | undefined;
  const answering = new Set<Promise<void>>();
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const answer = async (number: string, question: string) => {
    const reply = await replied(async () => {
      if (teacher) return asked(await teacher, JSON.parse(question) as Question, either);
      const { config, options } = JSON.parse(question) as Opening;
      teacher = createTeacher(config, { ...options, signal: either });
      return greeting(await teacher);
    });
    tell(`${number} ${JSON.stringify(reply)}`);
  };
  try {
    for await (const line of createInterface({ input })) {
      const at = line.indexOf(" ");
      const work = answer(line.slice(0, at), line.slice(at + 1));
      answering.add(work);
      void work.finally(() => answering.delete(work));
    }
  } finally {
    // Nobody is left to hear the answers.
    ended.abort();
    await Promise.allSettled(answering);
    await teacher?.then(
      (one) => one.close(),
      () => {},
    );
  }
}

function greeting(teacher: Teacher): Greeting {
  const { kind, fingerprint, description, batchSize, concurrency = 1, about, explain } = teacher;
  return { kind, fingerprint, description, batchSize, concurrency, about, explains: explain !== undefined };
}

async function asked(teacher: Teacher, question: Question, signal: AbortSignal): Promise<Answered> {
  if (question.kind === "pairs") {
    const pairs = question.pairs.map(([a, b]) => [imageOf(a), imageOf(b)] as [TeacherImage, TeacherImage]);
    return teacher.judgePairs(pairs, signal, question.orders);
  }
  const images = question.images.map(imageOf);
  return question.kind === "points" ? teacher.judgePoints(images, signal) : teacher.explain!(images, signal);
}

const imageOf = ({ hash, name, path }: NamedImage): TeacherImage => ({
  hash,
  name,
  read: () => readFile(path),
});

async function replied<T>(work: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!(error instanceof LeafError)) return { error: { code: "failed", message: messageOf(error) } };
    return { error: { code: error.code, message: error.message, remedy: error.remedy } };
  }
}
