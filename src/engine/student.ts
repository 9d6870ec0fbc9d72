import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { StudentCard } from "../protocol/student.ts";
import { LeafError, messageOf, throwIfCancelled } from "./errors.ts";
import { decodeImage, type RgbImage } from "./images/decode.ts";
import { prepare, views } from "./images/views.ts";
import { studentToMos } from "./mos.ts";

export interface Student {
  card: StudentCard;
  /** Hash of the ONNX file; changes with every retraining. */
  fingerprint: string;
  /** Scores of cached views, uint8 [n, crop, crop, 3], on 1..5. */
  scoreViews(pixels: Uint8Array, n: number): Promise<Float32Array>;
  /** The same with the pooled features, n × dim. Throws LeafError `input` for a student exported without them. */
  describeViews(pixels: Uint8Array, n: number): Promise<{ scores: Float32Array; features: Float32Array }>;
  close(): Promise<void>;
}

export type ScoredImage<T> =
  | { item: T; score: number; features?: Float32Array }
  | { item: T; reason: string };

/** Opens `student.onnx` and `student.json` of a folder. Throws LeafError `input` where they are missing or damaged. */
export async function openStudent(dir: string, options: { threads?: number } = {}): Promise<Student> {
  const cardFile = path.join(dir, "student.json");
  const modelFile = path.join(dir, "student.onnx");
  if (!existsSync(cardFile) || !existsSync(modelFile)) {
    throw new LeafError("input", `There is no student in ${dir}.`, {
      remedy: "Run `leaf distill` first, or name the folder of an exported student.",
    });
  }
  const card = JSON.parse(await readFile(cardFile, "utf8")) as StudentCard;
  if (card.v !== 1)
    throw new LeafError("input", `${cardFile} is of a newer version of LEAF.`, { remedy: "Update LEAF." });
  const bytes = await readFile(modelFile);
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(bytes, {
      intraOpNumThreads: options.threads ?? availableParallelism(),
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new LeafError("input", `${modelFile} is not a usable ONNX file (${messageOf(error)}).`, {
      remedy: "Run the stage again.",
    });
  }
  const { crop } = card.input;
  return {
    card,
    fingerprint: createHash("sha256").update(bytes).digest("hex").slice(0, 16),
    async scoreViews(pixels, n) {
      const feeds = { pixels: new Tensor("uint8", pixels, [n, crop, crop, 3]) };
      const { score } = await session.run(feeds, ["score"]);
      return score!.data as Float32Array;
    },
    async describeViews(pixels, n) {
      if (!session.outputNames.includes("features"))
        throw new LeafError("input", `${modelFile} has no output \`features\`.`, {
          remedy: "Run `leaf distill` again.",
        });
      const feeds = { pixels: new Tensor("uint8", pixels, [n, crop, crop, 3]) };
      const { score, features } = await session.run(feeds, ["score", "features"]);
      return { scores: score!.data as Float32Array, features: features!.data as Float32Array };
    },
    close: () => session.release(),
  };
}

/** A student's score on the scale people gave, or on 1..5 before calibration. */
export function reportedScore(card: StudentCard, score: number): number {
  return card.mosScale ? studentToMos(score, card.mosScale) : score;
}

/** Scores one decoded picture, on 1..5. */
export async function scorePicture(student: Student, image: RgbImage): Promise<number> {
  const { input } = student.card;
  const scores = await student.scoreViews(views(await prepare(image, input), input), input.views);
  return mean(scores);
}

function mean(scores: Float32Array): number {
  return scores.reduce((sum, s) => sum + s, 0) / scores.length;
}

function meanRow(rows: Float32Array, dim: number): Float32Array {
  const row = new Float32Array(dim);
  const n = rows.length / dim;
  for (let at = 0; at < rows.length; at++) row[at % dim]! += rows[at]! / n;
  return row;
}

const batchViews = 16;

/**
 * Scores a stream of images in order, on 1..5. Decoding runs ahead of inference by a bounded number of images, so both
 * are busy and memory stays flat. An unreadable image yields its reason; nothing else is lost. With `features` each also has its
 * pooled features, the mean over its views.
 */
export async function* scoreImages<T extends { path: string }>(
  student: Student,
  items: AsyncIterable<T> | Iterable<T>,
  options: { signal?: AbortSignal; concurrency?: number; features?: boolean } = {},
): AsyncGenerator<ScoredImage<T>> {
  const { input } = student.card;
  const { crop } = input;
  const viewBytes = crop * crop * 3;
  const perBatch = Math.max(1, Math.floor(batchViews / input.views));
  const ahead = perBatch + (options.concurrency ?? availableParallelism() * 2);

  type Decoded = { item: T; pixels: Uint8Array } | { item: T; reason: string };
  const decode = async (item: T): Promise<Decoded> => {
    try {
      const picture = await prepare(await decodeImage(item.path), input);
      return { item, pixels: views(picture, input) };
    } catch (error) {
      return { item, reason: messageOf(error) };
    }
  };
  const infer = async (batch: Decoded[]): Promise<ScoredImage<T>[]> => {
    const readable = batch.filter((one) => "pixels" in one);
    const pixels = new Uint8Array(readable.length * input.views * viewBytes);
    for (const [i, one] of readable.entries()) pixels.set(one.pixels, i * input.views * viewBytes);
    const count = readable.length * input.views;
    const { scores, features } =
      count === 0
        ? { scores: new Float32Array(), features: undefined }
        : options.features
          ? await student.describeViews(pixels, count)
          : { scores: await student.scoreViews(pixels, count), features: undefined };
    const dim = features ? features.length / count : 0;
    let next = 0;
    return batch.map((one) => {
      if (!("pixels" in one)) return one;
      const [from, to] = [next * input.views, ++next * input.views];
      const score = mean(scores.subarray(from, to));
      return {
        item: one.item,
        score,
        features: features && meanRow(features.subarray(from * dim, to * dim), dim),
      };
    });
  };

  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const decoding: Promise<Decoded>[] = [];
  let exhausted = false;
  let inferring: Promise<ScoredImage<T>[]> | undefined;
  while (true) {
    throwIfCancelled(options.signal);
    while (!exhausted && decoding.length < ahead) {
      const next = await source.next();
      if (next.done) exhausted = true;
      else decoding.push(decode(next.value));
    }
    const batch = await Promise.all(decoding.splice(0, perBatch));
    const previous = inferring;
    inferring = batch.length > 0 ? infer(batch) : undefined;
    if (previous) yield* await previous;
    if (!inferring) return;
  }
}
