import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { CardTarget, StudentCard } from "../../protocol/student.ts";
import { inEnglish, quoted, say } from "../../words/text.ts";
import { LeafError, messageOf, throwIfCancelled } from "../base/errors.ts";
import { InferenceSession, sleepingThreads, Tensor } from "../base/onnxRuntime.ts";
import { type RgbImage, UndecodableImage } from "../images/decode.ts";
import { preparedImage } from "../images/prepared.ts";
import type { ImageSource } from "../images/read.ts";
import { mostViewPixels, prepare, type Views, views } from "../images/views.ts";
import { checkSignature, readStudentFiles, studentFiles, unusable } from "./file.ts";
import { chosenProvider, installedProviders, onGpuOrCpu, type Provider } from "./providers.ts";

export interface Student {
  card: StudentCard;
  /** Hash of the ONNX file; changes with every retraining. */
  fingerprint: string;
  /** How many views it is best asked for at a time. */
  batchViews: number;
  /**
   * Scores of views on 1..5, with the distances from the training images (null from a student that cannot tell), and where asked
   * for with `features` and `levels`, n × dim each. Throws LeafError `input` for a student exported without these.
   */
  judgeViews(views: Views, wanted?: WantedRows): Promise<JudgedViews>;
  /** Local scores [n, rows, columns] on 1..5, whose mean is a view's score. Throws LeafError `input` from an old student. */
  mapViews(views: Views): Promise<ViewMaps>;
  close(): Promise<void>;
}

/** What more to tell of a picture: the pooled features of the last layer, and those of several depths (`card.levels`). */
export interface WantedRows {
  features?: boolean;
  levels?: boolean;
}

export interface JudgedViews {
  scores: Float32Array;
  distances: Float32Array | null;
  features: Float32Array | null;
  levels: Float32Array | null;
  /** Standard deviations on 1..5; null from a student that has no error bars. */
  sds: Float32Array | null;
  /** The same of the targets beside the main one, by name; none where there is one alone. */
  beside: Record<string, { scores: Float32Array; sds: Float32Array | null }>;
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
  /** Standard deviation of a person's score around it; absent from a student that has no error bars. */
  sd?: number;
  /** The same of the targets beside the main one, by name, each on 1..5; absent where there is one alone. */
  beside?: Record<string, { score: number; sd?: number }>;
}

/** An image without a score; `lasting`: it will have none as long as its bytes are the same. */
export interface UnscoredImage<T> {
  item: T;
  reason: string;
  lasting: boolean;
}

/** `note`: something worth telling of a file that is scored all the same. */
export type ScoredImage<T> =
  | ({ item: T; features?: Float32Array; levels?: Float32Array; note?: string } & Judged)
  | UnscoredImage<T>;

export interface OpenOptions {
  threads?: number;
  /** Many pictures are scored: on a GPU where ONNX Runtime has one, and it answers as the CPU does. */
  gpu?: boolean;
}

/** Opens `student.onnx` and `student.json` of a folder. Throws LeafError `input` where they are missing or damaged. */
export async function openStudent(dir: string, options: OpenOptions = {}): Promise<Student> {
  const { model: modelFile } = studentFiles(dir);
  const { card, model: bytes } = await readStudentFiles(dir);
  let session: InferenceSession;
  let batchViews = onCpu;
  try {
    const open = (provider: Provider | "cpu") =>
      InferenceSession.create(bytes, {
        executionProviders: provider === "cpu" ? ["cpu"] : [provider, "cpu"],
        intraOpNumThreads: options.threads ?? availableParallelism(),
        logSeverityLevel: 3,
        extra: sleepingThreads,
        // It would keep a plan of the memory for each size of picture.
        enableMemPattern: card.input.views !== "whole",
      });
    const provider = options.gpu
      ? chosenProvider(installedProviders(), process.env.LEAF_ONNX_PROVIDER)
      : undefined;
    if (provider) batchViews = onGpu;
    session = await onGpuOrCpu(open, provider, (one) => scoresOfNoise(one, card.input.crop));
  } catch (error) {
    throw unusable(modelFile, quoted(messageOf(error).split("\n")[0]!.replace(/\.$/, "")));
  }
  try {
    checkSignature(session, card, modelFile);
  } catch (error) {
    await session.release();
    throw error;
  }
  const has = (output: string) => session.outputNames.includes(output);
  const run = async ({ pixels, n, height, width }: Views, outputs: string[]) => {
    const found = await session
      .run({ pixels: new Tensor("uint8", pixels, [n, height, width, 3]) }, outputs)
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
    batchViews,
    async judgeViews(given, wanted = {}) {
      const told = card.domain != null && has("distance");
      const rows = (["features", "levels"] as const).filter((name) => wanted[name]);
      for (const name of rows)
        if (!has(name))
          throw new LeafError("input", say`${modelFile} has no output \`${name}\`.`, {
            remedy: say`Run \`leaf distill\` again.`,
          });
      const sd = has("sd") ? ["sd"] : [];
      const beside = besideOf(card);
      const others = beside.flatMap((target) => (target.sd ? [target.score, target.sd] : [target.score]));
      const found = await run(given, ["score", ...(told ? ["distance"] : []), ...sd, ...rows, ...others]);
      const data = (name: string) => (found[name]?.data as Float32Array | undefined) ?? null;
      return {
        scores: data("score")!,
        distances: data("distance"),
        features: data("features"),
        levels: data("levels"),
        sds: data("sd"),
        beside: Object.fromEntries(
          beside.map(({ name, score, sd }) => [
            name,
            { scores: data(score)!, sds: sd === null ? null : data(sd) },
          ]),
        ),
      };
    },
    async mapViews(given) {
      if (!has("map")) {
        throw new LeafError("input", say`The student in ${dir} was made before students had heat maps.`, {
          file: modelFile,
          remedy: say`Run \`leaf distill\` again (and \`leaf calibrate\`), or export it again.`,
        });
      }
      const { score, map } = await run(given, ["score", "map"]);
      const [, rows, columns] = map!.dims as [number, number, number];
      return { scores: score!.data as Float32Array, rows, columns, local: map!.data as Float32Array };
    },
    close: () => session.release(),
  };
}

/** Two views of coarse noise, to compare providers by. */
async function scoresOfNoise(session: InferenceSession, crop: number): Promise<Float32Array> {
  const pixels = Uint8Array.from({ length: 2 * crop * crop * 3 }, (_, i) => (i * 2654435761) >>> 24);
  const found = await session.run({ pixels: new Tensor("uint8", pixels, [2, crop, crop, 3]) }, ["score"]);
  return found.score!.data as Float32Array;
}

/** Scores one decoded picture, on 1..5. Throws LeafError `failed` where the student gives no number. */
export async function judgePicture(student: Student, image: RgbImage): Promise<Judged> {
  return judgePrepared(student, await prepare(image, student.card.input));
}

/** The same of a picture that is prepared for this student. */
export async function judgePrepared(student: Student, picture: RgbImage): Promise<Judged> {
  const found = await student.judgeViews(views(picture, student.card.input));
  const judged = judgedOf(student.card, found);
  if (isNumber(judged)) return judged;
  throw new LeafError("failed", noNumber, { remedy: say`Run the stage that made the student again.` });
}

/** Why an image has no score where the network gives NaN or infinity. */
export const noNumber = say`The student gave no number.`;

function isNumber(
  { score, distance, sd = 0, beside = {} }: Judged,
  rows: (Float32Array | undefined)[] = [],
): boolean {
  return (
    Number.isFinite(score) &&
    Number.isFinite(sd) &&
    Object.values(beside).every((one) => Number.isFinite(one.score) && Number.isFinite(one.sd ?? 0)) &&
    (distance === null || Number.isFinite(distance)) &&
    rows.every((row) => row === undefined || row.every(Number.isFinite))
  );
}

/** The mean over the views [from, to). */
function judgedOf(
  { domain }: StudentCard,
  { scores, distances, sds, beside }: JudgedViews,
  from = 0,
  to = scores.length,
): Judged {
  const mean = (all: Float32Array) => meanOf(all.subarray(from, to));
  const distance = domain && distances ? mean(distances) / domain.threshold : null;
  // Views of one picture err together: their mean is no surer than they are.
  const both = (one: { scores: Float32Array; sds: Float32Array | null }) => ({
    score: mean(one.scores),
    ...(one.sds && { sd: mean(one.sds) }),
  });
  const others = Object.entries(beside).map(([name, one]) => [name, both(one)] as const);
  return {
    ...both({ scores, sds }),
    distance,
    ...(others.length > 0 && { beside: Object.fromEntries(others) }),
  };
}

/** The targets beside the main one. */
function besideOf({ targets = [] }: StudentCard): CardTarget[] {
  return targets.slice(1);
}

function meanOf(scores: Float32Array): number {
  return scores.reduce((sum, s) => sum + s, 0) / scores.length;
}

/** Views of the same size as one. */
function joined(all: Views[]): Views {
  const [first] = all as [Views];
  if (all.length === 1) return first;
  const pixels = Buffer.concat(all.map((one) => one.pixels));
  return { ...first, pixels, n: all.reduce((sum, one) => sum + one.n, 0) };
}

function meanRow(rows: Float32Array, dim: number): Float32Array {
  const row = new Float32Array(dim);
  const n = rows.length / dim;
  for (let at = 0; at < rows.length; at++) row[at % dim]! += rows[at]! / n;
  return row;
}

/** A CPU takes as long for each of many views as for one, and a run holds up the thread that hands files to the decoder. */
const [onCpu, onGpu] = [4, 16];
/** About what pictures take at most that wait to be scored. */
const waitingBytes = 128 * 2 ** 20;

/**
 * Scores a stream of images in order, on 1..5. Decoding runs ahead of inference by a bounded number of images, so both
 * are busy and memory stays flat. An image that cannot be read, or that the student has no number for, yields its reason; nothing
 * else is lost. An item's score is of the bytes of its hash, if it has one. `features` and `levels`, where wanted, are the means
 * over its views. Whole pictures differ in size and go one by one.
 */
export async function* scoreImages<T extends ImageSource>(
  student: Student,
  items: AsyncIterable<T> | Iterable<T>,
  options: { signal?: AbortSignal; concurrency?: number; maxPixels?: number } & WantedRows = {},
): AsyncGenerator<ScoredImage<T>> {
  const { input } = student.card;
  const perBatch = input.views === "whole" ? 1 : Math.max(1, Math.floor(student.batchViews / input.views));
  const waiting = options.concurrency ?? availableParallelism() * 2;
  const ahead =
    perBatch + Math.max(1, Math.min(waiting, Math.floor(waitingBytes / (3 * mostViewPixels(input)))));

  const { maxPixels, signal } = options;
  type Decoded = { item: T; seen: Views; note?: string } | UnscoredImage<T>;
  const decode = async (item: T): Promise<Decoded> => {
    try {
      const picture = await preparedImage(item, input, { maxPixels, signal });
      const { note } = picture;
      return { item, seen: views(picture, input), ...(note && { note }) };
    } catch (error) {
      return { item, reason: messageOf(error), lasting: error instanceof UndecodableImage };
    }
  };
  const infer = async (batch: Decoded[]): Promise<ScoredImage<T>[]> => {
    const readable = batch.filter((one) => "seen" in one);
    if (readable.length === 0) return batch.filter((one) => "reason" in one);
    const together = joined(readable.map(({ seen }) => seen));
    const found = await student.judgeViews(together, options);
    let next = 0;
    return batch.map((one) => {
      if (!("seen" in one)) return one;
      const { item, note, seen } = one;
      const from = next;
      const to = from + seen.n;
      next = to;
      const judged = judgedOf(student.card, found, from, to);
      const row = (all: Float32Array | null) => {
        const dim = all ? all.length / together.n : 0;
        return all ? meanRow(all.subarray(from * dim, to * dim), dim) : undefined;
      };
      const [features, levels] = [row(found.features), row(found.levels)];
      if (!isNumber(judged, [features, levels])) return { item, reason: inEnglish(noNumber), lasting: true };
      return {
        item,
        ...judged,
        ...(note && { note }),
        ...(features && { features }),
        ...(levels && { levels }),
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
    // It may fail while the next images are still being decoded: that is told when its turn comes.
    inferring?.catch(() => {});
    if (previous) yield* await previous;
    if (!inferring) return;
  }
}
