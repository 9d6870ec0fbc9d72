import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import * as z from "zod";
import { imageHash } from "../../protocol/schema/common.ts";
import { inEnglish, say } from "../../words/text.ts";
import { messageOf, throwIfCancelled } from "../base/errors.ts";
import { type Line, lineSplitter } from "../base/lines.ts";
import type { Student } from "../student/student.ts";
import { judgeImage, type NotedScore } from "./judge.ts";

/** One answer of `leaf score -`: of the line that names `image`, with the `id` that it gave. */
export type LineScore = { image: string | null; id?: unknown } & (NotedScore | { reason: string });

/** Characters of a line: names of files are far shorter. */
const longestLine = 65_536;

const request = z.strictObject({
  image: z.string().min(1),
  id: z.unknown().optional(),
  hash: imageHash.optional(),
});

/**
 * A line is a path, a JSON string, or `{"image": path, "id": anything}`; with a `hash` only a file of these bytes is scored. Gives the
 * reason, as a sentence, where it is none of these.
 */
export function readLine(line: string): { image: string; id?: unknown; hash?: string } | { reason: string } {
  if (!/^\s*["{]/.test(line)) return { image: line };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { reason: inEnglish(say`The line begins like JSON and is none.`) };
  }
  if (typeof value === "string" && value !== "") return { image: value };
  const read = request.safeParse(value);
  return read.success
    ? read.data
    : { reason: inEnglish(say`The line is not \`{"image": "path", "id": anything}\`.`) };
}

/**
 * Scores the images that lines of a stream name, and tells each answer in the order of the lines, as soon as it is there. Reads at
 * most `ahead` lines ahead of what was told, so memory is bounded. Empty lines are passed over. Returns how many were told.
 */
export async function scoreLines(
  student: Student,
  input: Readable,
  options: {
    ahead: number;
    maxPixels?: number;
    signal?: AbortSignal;
    /** Waited for: a slow reader slows the work. */
    tell(answer: LineScore): Promise<void>;
  },
): Promise<{ scored: number; failed: number }> {
  const { ahead, maxPixels, signal } = options;
  const count = { scored: 0, failed: 0 };
  const answer = async (line: Line): Promise<LineScore> => {
    const read = "text" in line ? readLine(line.text) : { reason: inEnglish(say`The line is too long.`) };
    if ("reason" in read) return { image: null, ...read };
    const { hash = null, ...asked } = read;
    try {
      return { ...asked, ...(await judgeImage(student, { path: read.image, hash }, { maxPixels })) };
    } catch (error) {
      return { ...asked, reason: messageOf(error) };
    }
  };
  const untold: Promise<void>[] = [];
  let last = Promise.resolve();
  const stop = () => input.destroy();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for await (const line of linesOf(input)) {
      throwIfCancelled(signal);
      if ("text" in line && line.text === "") continue;
      const found = answer(line);
      last = last.then(async () => {
        const said = await found;
        throwIfCancelled(signal);
        if ("reason" in said) count.failed++;
        else count.scored++;
        await options.tell(said);
      });
      // Told below; until then a failure must not count as unhandled.
      last.catch(() => {});
      untold.push(last);
      if (untold.length >= ahead) await untold.shift();
    }
    await last;
  } catch (error) {
    // A stream that is cut off by the signal breaks in its own way.
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    await last.catch(() => {});
  }
  throwIfCancelled(signal);
  return count;
}

async function* linesOf(input: Readable): AsyncGenerator<Line> {
  const decoder = new StringDecoder("utf8");
  const splitter = lineSplitter(longestLine);
  for await (const chunk of input) yield* splitter.take(decoder.write(chunk as Buffer));
  yield* [...splitter.take(decoder.end()), ...splitter.end()];
}
