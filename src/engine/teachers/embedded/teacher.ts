import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { say } from "../../../words/text.ts";
import { isCancelled, LeafError, messageOf } from "../../base/errors.ts";
import { InferenceSession, sleepingThreads, Tensor } from "../../base/onnxRuntime.ts";
import { mapOrdered } from "../../base/pool.ts";
import { withPixels } from "../../images/decode.ts";
import { bytesOfHash } from "../../images/read.ts";
import { pairOf, pointOf, type Quality } from "../latent.ts";
import { sigmaAt } from "../probit.ts";
import type { PairPreference, PointJudgement, Teacher, TeacherImage } from "../teacher.ts";
import { readTeacherAssets, type TeacherAssets } from "./card.ts";
import { wholeView } from "./view.ts";

/** Raised whenever the code between bytes and judgement changes what comes out. */
const codeVersion = 2;
/** Qualities kept, so that an image's many pairs cost one look. */
const remembered = 100_000;
export interface EmbeddedTeacherOptions {
  /** Folder with model.onnx and teacher.json; by default the one that LEAF carries. */
  assets?: string;
  /** Of the network. One image more is decoded or looked at together. 1 keeps results and load steady. */
  threads?: number;
  /** Larger images are refused. */
  maxPixels?: number;
}

/** Who the embedded teacher is, without opening its network. */
export async function embeddedTeacherFingerprint(): Promise<string> {
  return identify(await readTeacherAssets()).fingerprint;
}

function identify({ card, model }: TeacherAssets) {
  const modelHash = createHash("sha256").update(model).digest("hex");
  const { thresholds, sigma } = card;
  const { mostPixels, leastSide } = card.input;
  const parameters = { codeVersion, mostPixels, leastSide, thresholds, sigma };
  return {
    fingerprint: createHash("sha256").update(modelHash).update(JSON.stringify(parameters)).digest("hex"),
    description: { kind: "embedded", model: modelHash, ...parameters },
  };
}

/**
 * A teacher without download, GPU or labels: a small network fitted on full-reference scores of distorted photos.
 * It judges technical quality (blur, noise, compression, exposure, ...) and is blind to content; see docs/embedded-teacher.md.
 */
export async function createEmbeddedTeacher(options: EmbeddedTeacherOptions = {}): Promise<Teacher> {
  const { card, model } = await readTeacherAssets(options.assets);
  const { fingerprint, description } = identify({ card, model });
  const threads = options.threads ?? 1;
  const session = await openNetwork(model, threads);
  const { input, thresholds, sigma } = card;
  const { maxPixels } = options;
  const known = new LRUCache<string, Quality>({ max: remembered });

  async function qualityOf(image: TeacherImage): Promise<Quality> {
    const found = known.get(image.hash);
    if (found) return found;
    try {
      const { data, width, height } = await withPixels(
        await bytesOfHash(image),
        { name: image.name, maxPixels },
        (decoded) => wholeView(decoded, input),
      );
      const { mu } = await session.run({ pixels: new Tensor("uint8", data, [1, height, width, 3]) });
      const [value] = mu!.data as Float32Array;
      if (value === undefined || !Number.isFinite(value))
        throw new LeafError("failed", say`the embedded teacher's network gave no number`);
      const quality = { ok: true as const, mu: value, sigma: sigmaAt(value, sigma) };
      known.set(image.hash, quality);
      return quality;
    } catch (error) {
      if (isCancelled(error) || !(error instanceof LeafError)) throw error;
      // Not remembered: the next try may find the file mended.
      return { ok: false, reason: error.message };
    }
  }

  /** Each image once, some at a time: the network has one thread for each. */
  async function look(images: TeacherImage[], signal?: AbortSignal): Promise<Map<string, Quality>> {
    const each = [...new Map(images.map((image) => [image.hash, image])).values()];
    const qualities = new Map<string, Quality>();
    let at = 0;
    for await (const quality of mapOrdered(each, 1 + threads, qualityOf, signal))
      qualities.set(each[at++]!.hash, quality);
    return qualities;
  }

  async function judgePoints(images: TeacherImage[], signal?: AbortSignal): Promise<PointJudgement[]> {
    const qualities = await look(images, signal);
    return images.map(({ hash }) => pointOf(qualities.get(hash)!, thresholds));
  }

  async function judgePairs(
    pairs: [TeacherImage, TeacherImage][],
    signal?: AbortSignal,
  ): Promise<PairPreference[]> {
    const qualities = await look(pairs.flat(), signal);
    return pairs.map(([a, b]) => pairOf(qualities.get(a.hash)!, qualities.get(b.hash)!));
  }

  return {
    kind: "embedded",
    fingerprint,
    description,
    batchSize: 16,
    judgePoints,
    judgePairs,
    close: () => session.release(),
  };
}

async function openNetwork(model: Buffer, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      intraOpNumThreads: threads,
      logSeverityLevel: 3,
      extra: sleepingThreads,
      // It would keep a plan of the memory for each size of picture.
      enableMemPattern: false,
    });
  } catch (error) {
    throw new LeafError(
      "environment",
      say`The embedded teacher's network cannot be opened (${messageOf(error)}).`,
      {
        remedy: say`Install LEAF again.`,
        cause: error,
      },
    );
  }
}
