import type { RatingProbabilities } from "../judgement.ts";

/** An image as a teacher sees it: bytes on demand and an identity; never a MOS. */
export interface TeacherImage {
  /** 32 hex digits of the SHA-256 of the bytes. */
  hash: string;
  /** For messages only. */
  name: string;
  read(): Promise<Buffer>;
}

export type PointJudgement =
  | {
      ok: true;
      probabilities: RatingProbabilities /** Raw mass of the five words before normalising. */;
      mass: number;
    }
  | { ok: false; reason: string };

export type PairPreference =
  | {
      ok: true /** P(a better) asked as (a, b). */;
      pAB: number /** P(a better) asked as (b, a). */;
      pBA: number;
    }
  | { ok: false; reason: string };

/**
 * A frozen judge of image quality. It knows nothing of the label store, so that it can be called on any batch.
 * A bad image yields `{ok: false}` for itself and never fails its batch; what a retry cannot mend throws.
 */
export interface Teacher {
  kind: string;
  /** Hash of all that can change a judgement: model, prompt, parameters. Labels are keyed by it. */
  fingerprint: string;
  /** The same, readable; stored beside the labels. Never holds a key. */
  description: Record<string, unknown>;
  /** How many images a call should carry at most. */
  batchSize: number;
  judgePoints(images: TeacherImage[], signal?: AbortSignal): Promise<PointJudgement[]>;
  judgePairs(pairs: [a: TeacherImage, b: TeacherImage][], signal?: AbortSignal): Promise<PairPreference[]>;
  close(): Promise<void>;
}
