import type { Spent } from "../../protocol/results.ts";
import type { TeacherOpen } from "../../protocol/teacher.ts";
import type { Text } from "../../protocol/text.ts";
import type { RatingProbabilities } from "./judgement.ts";
import type { PromptPart } from "./prompts.ts";

/** An image as a teacher sees it: bytes on demand and an identity; never a MOS. */
export interface TeacherImage {
  /** 32 hex digits of the SHA-256 of the bytes. */
  hash: string;
  /** For messages only. */
  name: string;
  /** Where it lies, for a teacher on another machine. */
  path?: string;
  /** What lies in the file now: a teacher takes it by `bytesOfHash`, so that it never judges another image under this hash. */
  read(): Promise<Buffer>;
}

/** How often each answer came among `n` that were drawn, in the order of the words or letters; a tie comes last. */
export interface Samples {
  n: number;
  counts: number[];
}

export type PointJudgement =
  | {
      ok: true;
      probabilities: RatingProbabilities /** Raw mass of the five words before normalising. */;
      mass: number;
      /** By default 1 − H/ln 5 of the probabilities. */
      confidence?: number;
      /** Where the probabilities are estimated from them. */
      samples?: Samples;
    }
  | { ok: false; reason: string };

export type PairPreference =
  | {
      ok: true /** P(a better) asked as (a, b). */;
      pAB: number /** P(a better) asked as (b, a); null where only one order was asked. */;
      pBA: number | null;
      /** By default 1 − H/ln 2 of both orders' mean. */
      confidence?: number;
      samples?: { ab: Samples; ba: Samples | null };
    }
  | { ok: false; reason: string };

/** A short explanation in the teacher's words; never part of a score. */
export type Reason = { ok: true; text: string } | { ok: false; reason: string };

export type Orders = "both" | "one";

/** What stands behind one judgement, for `leaf label --dry-run`. */
export interface Inspection {
  /** The question as the model gets it: its parts, and the whole text where the teacher renders it itself. */
  parts: PromptPart[];
  rendered: string | null;
  prefill: string | null;
  /** The most probable tokens at the answer position, most probable first. */
  top: { token: string; probability: number }[];
  /** Probability of each possible answer before normalising, and the tokens that counted for it. */
  answers: { answer: string; tokens: string[]; probability: number }[];
  /** Sum over the answers. */
  mass: number;
}

export interface Work {
  points: number;
  pairs: number;
  orders: Orders;
  reasons: number;
}

/** What some work would take. */
export type Estimate = Spent;

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
  /** Calls that should be under way at once; 1 where left out. */
  concurrency?: number;
  /** A label takes many answers: what they cost is told before they are asked. */
  dear?: boolean;
  /** One line on what was found out about the server or device. */
  about?: Text;
  judgePoints(images: TeacherImage[], signal?: AbortSignal): Promise<PointJudgement[]>;
  /** Both orders unless told otherwise. */
  judgePairs(
    pairs: [a: TeacherImage, b: TeacherImage][],
    signal?: AbortSignal,
    orders?: Orders,
  ): Promise<PairPreference[]>;
  /** A short reason for each image, asked by itself. Not every teacher has words. */
  explain?(images: TeacherImage[], signal?: AbortSignal): Promise<Reason[]>;
  /** The prompt, the top tokens and the answers for one image, or for a pair in the order given. */
  inspect?(images: [TeacherImage] | [TeacherImage, TeacherImage], signal?: AbortSignal): Promise<Inspection>;
  /** What the work would take, from one trial request on `sample`. */
  estimate?(work: Work, sample: TeacherImage, signal?: AbortSignal): Promise<Estimate>;
  /** What has been spent since it was created. */
  spent?(): Spent;
  /** What the servers' own counters say of their prefix caches since it was created, by whoever asked; undefined where they say nothing. */
  prefixCache?(): Promise<Spent["prefix"]>;
  close(): Promise<void>;
}

export interface TeacherOptions {
  signal?: AbortSignal;
  /** Folder of the config: local models are relative to it. */
  root: string;
  /** Python for a local teacher; see `resolveInterpreter`. */
  interpreter?: string;
  /** What a local teacher's `dtype: auto` is on CUDA. */
  precision?: TeacherOpen["precision"];
  /** Larger images are refused. */
  maxPixels?: number;
  /** Of a teacher that computes in this process; by default as many as there are processors. */
  threads?: number;
  /** What was spent already of the limit that the config has. */
  spent?: Spent;
  /** A sentence on what goes on while the teacher gets ready, waits or backs off. */
  onNote?: (message: Text) => void;
}
