import type { LabelStore } from "../labels/labels.ts";
import { ownPairs, ownPoints } from "../labels/teacherAnswers.ts";
import { isRight } from "./metrics.ts";

/** The teacher's preferences whose images both have a MOS that differ enough to name a winner. In parallel arrays. */
export interface JudgedPairs {
  a: string[];
  b: string[];
  p: Float64Array;
  aBetter: Uint8Array;
  confidence: Float64Array;
  right: Uint8Array;
  /** Left out: the MOS are closer than the threshold. */
  undecided: number;
}

/** The teacher's ratings of images with a MOS. */
export interface JudgedPoints {
  images: string[];
  scores: Float64Array;
  /** n × 5, best word first. */
  p: Float64Array;
  /** MOS on 1..5, and the place of its word. */
  truth: Float64Array;
  word: Uint8Array;
}

/** MOS that differ by less, on 1..5, name no winner: about the error of a mean of some ten ratings. */
export const decisiveDifference = 0.25;

/** More pairs tell no more. They come in the order of hashes, which is a random one. */
const mostPairs = 1_000_000;

export function judgedPairs(
  store: LabelStore,
  teacher: string,
  truth: ReadonlyMap<string, number>,
  threshold: number,
): JudgedPairs {
  const [a, b, p, aBetter, confidence]: [string[], string[], number[], number[], number[]] = [
    [],
    [],
    [],
    [],
    [],
  ];
  let undecided = 0;
  for (const pair of ownPairs(store, teacher, new Set(truth.keys()))) {
    const difference = truth.get(pair.a)! - truth.get(pair.b)!;
    if (!Number.isFinite(pair.p) || difference === 0 || Math.abs(difference) < threshold) {
      undecided++;
      continue;
    }
    a.push(pair.a);
    b.push(pair.b);
    p.push(pair.p);
    aBetter.push(Number(difference > 0));
    confidence.push(pair.confidence);
    if (p.length >= mostPairs) break;
  }
  return {
    a,
    b,
    p: Float64Array.from(p),
    aBetter: Uint8Array.from(aBetter),
    confidence: Float64Array.from(confidence),
    right: Uint8Array.from(p, (one, i) => Number(isRight(one, aBetter[i]!))),
    undecided,
  };
}

export function judgedPoints(
  store: LabelStore,
  teacher: string,
  truth: ReadonlyMap<string, number>,
): JudgedPoints {
  const [images, scores, p, mos]: [string[], number[], number[], number[]] = [[], [], [], []];
  for (const point of ownPoints(store, teacher, truth.keys())) {
    if (!Number.isFinite(point.score) || !point.probabilities.every(Number.isFinite)) continue;
    images.push(point.image);
    scores.push(point.score);
    p.push(...point.probabilities);
    mos.push(truth.get(point.image)!);
  }
  return {
    images,
    scores: Float64Array.from(scores),
    p: Float64Array.from(p),
    truth: Float64Array.from(mos),
    word: Uint8Array.from(mos, wordOf),
  };
}

/** The rating word of a MOS on 1..5, as its place from best to worst: the nearest whole score. */
export function wordOf(mos: number): number {
  return 5 - Math.min(5, Math.max(1, Math.round(mos)));
}

/** Of pairs or points those whose position `wanted` accepts. */
export function pick(values: { p: Float64Array; truth: Uint8Array }, wanted: (i: number) => boolean) {
  const width = values.truth.length === 0 ? 1 : values.p.length / values.truth.length;
  const kept = [...values.truth.keys()].filter(wanted);
  const p = new Float64Array(kept.length * width);
  for (const [at, i] of kept.entries()) p.set(values.p.subarray(i * width, (i + 1) * width), at * width);
  return { p, truth: Uint8Array.from(kept, (i) => values.truth[i]!) };
}
