import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { StudentCard } from "../../protocol/student.ts";
import { inEnglish, quoted, say } from "../../words/text.ts";
import { LeafError, messageOf, throwIfCancelled } from "../base/errors.ts";
import { InferenceSession, Tensor } from "../base/onnxRuntime.ts";
import { type RgbImage, UndecodableImage, withImage } from "../images/decode.ts";
import type { ImageSource } from "../images/read.ts";
import { prepare, views } from "../images/views.ts";
import { checkSignature, readStudentFiles, studentFiles, unusable } from "./file.ts";

export interface Student {
  card: StudentCard;
  /** Hash of the ONNX file; changes with every retraining. */
  fingerprint: string;
  /** Scores of cached views, uint8 [n, crop, crop, 3], on 1..5. */
  scoreViews(pixels: Uint8Array, n: number): Promise<Float32Array>;
  /**
   * The same with the distances from the training images (null from a student that cannot tell), and where asked for with the
   * pooled features, n × dim. Throws LeafError `input` for a student exported without these.
   */
  judgeViews(pixels: Uint8Array, n: number, withFeatures?: boolean): Promise<JudgedViews>;
  /** Local scores [n, rows, columns] on 1..5, whose mean is a view's score. Throws LeafError `input` from an old student. */
  mapViews(pixels: Uint8Array, n: number): Promise<ViewMaps>;
  close(): Promise<void>;
}

export interface JudgedViews {
  scores: Float32Array;
  distances: Float32Array | null;
  features: Float32Array | null;
}

export interface ViewMaps {
  scores: Float32Array;
  rows: number;
  columns: number;
  local: Float32Array;
}

/** `distance` is the mean over the views, in units of the student's threshold: above 1 the image is far. */
export interface Judged {
  score: number;
  distance: number | null;
}

/** An image without a score; `lasting`: it will have none as long as its bytes are the same. */
export interface UnscoredImage<T> {
  item: T;
  reason: string;
  lasting: boolean;
}

/** `note`: something worth telling of a file that is scored all the same. */
export type ScoredImage<T> =
  | ({ item: T; features?: Float32Array; note?: string } & Judged)
  | UnscoredImage<T>;

/** Opens `student.onnx` and `student.json` of a folder. Throws LeafError `input` where they are missing or damaged. */
export async function openStudent(dir: string, options: { threads?: number } = {}): Promise<Student> {
  const { model: modelFile } = studentFiles(dir);
  const { card, model: bytes } = await readStudentFiles(dir);
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(bytes, {
      intraOpNumThreads: options.threads ?? availableParallelism(),
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw unusable(modelFile, quoted(messageOf(error).split("\n")[0]!.replace(/\.$/, "")));
  }
  try {
    checkSignature(session, card, modelFile);
  } catch (error) {
    await session.release();
    throw error;
  }
  const { crop } = card.input;
  const has = (output: string) => session.outputNames.includes(output);
  const run = async (pixels: Uint8Array, n: number, outputs: string[]) => {
    const found = await session
      .run({ pixels: new Tensor("uint8", pixels, [n, crop, crop, 3]) }, outputs)
      .catch((error: unknown) => {
        throw unusable(modelFile, say`it does not run (${messageOf(error).split("\n")[0]!})`);
      });
    for (const output of outputs)
      if (found[output]?.dims[0] !== n)
        throw unusable(modelFile, say`\`${output}\` does not have a row for each view`);
    return found;
  };
  return {
    card,
    fingerprint: createHash("sha256").update(bytes).digest("hex").slice(0, 16),
    async scoreViews(pixels, n) {
      const { score } = await run(pixels, n, ["score"]);
      return score!.data as Float32Array;
    },
    async judgeViews(pixels, n, withFeatures = false) {
      const told = card.domain != null && has("distance");
      if (withFeatures && !has("features"))
        throw new LeafError("input", say`${modelFile} has no output \`features\`.`, {
          remedy: say`Run \`leaf distill\` again.`,
        });
      const outputs = ["score", ...(told ? ["distance"] : []), ...(withFeatures ? ["features"] : [])];
      const { score, distance, features } = await run(pixels, n, outputs);
      return {
        scores: score!.data as Float32Array,
        distances: (distance?.data as Float32Array | undefined) ?? null,
        features: (features?.data as Float32Array | undefined) ?? null,
      };
    },
    async mapViews(pixels, n) {
      if (!has("map")) {
        throw new LeafError("input", say`The student in ${dir} was made before students had heat maps.`, {
          file: modelFile,
          remedy: say`Run \`leaf distill\` again (and \`leaf calibrate\`), or export it anew.`,
        });
      }
      const { score, map } = await run(pixels, n, ["score", "map"]);
      const [, rows, columns] = map!.dims as [number, number, number];
      return { scores: score!.data as Float32Array, rows, columns, local: map!.data as Float32Array };
    },
    close: () => session.release(),
  };
}

/** Scores one decoded picture, on 1..5. Throws LeafError `failed` where the student gives no number. */
export async function judgePicture(student: Student, image: RgbImage): Promise<Judged> {
  const { input } = student.card;
  const found = await student.judgeViews(views(await prepare(image, input), input), input.views);
  const judged = judgedOf(student.card, found.scores, found.distances);
  if (isNumber(judged)) return judged;
  throw new LeafError("failed", noNumber, { remedy: say`Run the stage that made the student again.` });
}

/** Why an image has no score where the network gives NaN or infinity. */
export const noNumber = say`The student gave no number.`;

function isNumber({ score, distance }: Judged, features?: Float32Array): boolean {
  return (
    Number.isFinite(score) &&
    (distance === null || Number.isFinite(distance)) &&
    (features === undefined || features.every(Number.isFinite))
  );
}

function judgedOf({ domain }: StudentCard, scores: Float32Array, distances: Float32Array | null): Judged {
  return { score: mean(scores), distance: domain && distances ? mean(distances) / domain.threshold : null };
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
 * are busy and memory stays flat. An image that cannot be read, or that the student has no number for, yields its reason; nothing
 * else is lost. An item's score is of the bytes of its hash, if it has one. With `features` each also has its pooled features,
 * the mean over its views.
 */
export async function* scoreImages<T extends ImageSource>(
  student: Student,
  items: AsyncIterable<T> | Iterable<T>,
  options: { signal?: AbortSignal; concurrency?: number; features?: boolean; maxPixels?: number } = {},
): AsyncGenerator<ScoredImage<T>> {
  const { input } = student.card;
  const { crop } = input;
  const viewBytes = crop * crop * 3;
  const perBatch = Math.max(1, Math.floor(batchViews / input.views));
  const ahead = perBatch + (options.concurrency ?? availableParallelism() * 2);

  const { maxPixels, signal } = options;
  type Decoded = { item: T; pixels: Uint8Array; note?: string } | UnscoredImage<T>;
  const decode = async (item: T): Promise<Decoded> => {
    try {
      return await withImage(item, { maxPixels }, async (image) => {
        throwIfCancelled(signal);
        const { note } = image;
        return { item, pixels: views(await prepare(image, input), input), ...(note && { note }) };
      });
    } catch (error) {
      return { item, reason: messageOf(error), lasting: error instanceof UndecodableImage };
    }
  };
  const infer = async (batch: Decoded[]): Promise<ScoredImage<T>[]> => {
    const readable = batch.filter((one) => "pixels" in one);
    const pixels = new Uint8Array(readable.length * input.views * viewBytes);
    for (const [i, one] of readable.entries()) pixels.set(one.pixels, i * input.views * viewBytes);
    if (readable.length === 0) return batch.filter((one) => "reason" in one);
    const count = readable.length * input.views;
    const { scores, distances, features } = await student.judgeViews(pixels, count, options.features);
    const dim = features ? features.length / count : 0;
    let next = 0;
    return batch.map((one) => {
      if (!("pixels" in one)) return one;
      const [from, to] = [next * input.views, ++next * input.views];
      const { item, note } = one;
      const judged = judgedOf(student.card, scores.subarray(from, to), distances?.subarray(from, to) ?? null);
      const row = features ? meanRow(features.subarray(from * dim, to * dim), dim) : undefined;
      if (!isNumber(judged, row)) return { item, reason: inEnglish(noNumber), lasting: true };
      return { item, ...judged, ...(note && { note }), ...(row && { features: row }) };
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
