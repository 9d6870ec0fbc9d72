import type { TeacherCheck } from "../../protocol/results.ts";
import type { LabelStore } from "../labels/labels.ts";
import { ownPoints } from "../labels/teacherAnswers.ts";
import { srcc } from "../metrics/agreement.ts";
import { bootstrapIntervals } from "../metrics/bootstrap.ts";
import { type Groups, groupsAt } from "../metrics/groups.ts";

export type { TeacherCheck };

/** Fewer images cannot tell a good teacher from a bad one: nothing is concluded. */
const leastImages = 10;
/** A teacher clearly agrees where the lower end of the 95 % interval of SRCC is above this. */
const leastAgreement = 0.1;
/**
 * Where it does not, SRCC below this means chance, else too few ratings. By the interval alone the embedded teacher (SRCC .65 on
 * the demo's images) would count as chance in 43 % of draws of 15 ratings.
 */
const chanceAgreement = 0.25;
const replicates = 1000;
/** More images make the interval narrower than the decision needs, and every status waits for it. */
export const mostCheckedImages = 500;

/**
 * Whether a teacher's scores clearly agree with human ones, both higher for better; by groups of images where there are some.
 * Pairs that are not finite are left out.
 */
export function checkTeacher(scores: Float64Array, truth: Float64Array, groups?: Groups): TeacherCheck {
  const known = Uint32Array.from(scores.keys()).filter(
    (i) => Number.isFinite(scores[i]!) && Number.isFinite(truth[i]!),
  );
  const [x, y] = [Float64Array.from(known, (i) => scores[i]!), Float64Array.from(known, (i) => truth[i]!)];
  const n = x.length;
  const found = srcc(x, y);
  const ci95 =
    found === null
      ? null
      : bootstrapIntervals(x, y, { replicates, seed: 0, groups: groups && groupsAt(groups, known) }).srcc;
  const constantTruth = y.every((value) => value === y[0]);
  if (n < leastImages || constantTruth) return { n, srcc: found, ci95, verdict: "unknown" };
  if (ci95 && ci95[0] > leastAgreement) return { n, srcc: found, ci95, verdict: "useful" };
  return { n, srcc: found, ci95, verdict: found !== null && found >= chanceAgreement ? "unclear" : "chance" };
}

/** SRCC of the teacher's own scores; null without any. */
export function teacherSrcc(
  store: LabelStore | undefined,
  teacher: string,
  images: readonly string[],
  truthOf: (hash: string) => number,
): number | null {
  const [scores, truth] = teacherScores(store, teacher, images, truthOf);
  return srcc(scores, truth);
}

/** The teacher's own scores of some images beside their truth and hashes; empty without a store. */
export function teacherScores(
  store: LabelStore | undefined,
  teacher: string,
  images: readonly string[],
  truthOf: (hash: string) => number,
): [scores: Float64Array, truth: Float64Array, images: string[]] {
  const [scores, truth, found]: [number[], number[], string[]] = [[], [], []];
  for (const { image, score } of store ? ownPoints(store, teacher, images) : []) {
    if (Number.isNaN(score)) continue;
    scores.push(score);
    truth.push(truthOf(image));
    found.push(image);
  }
  return [Float64Array.from(scores), Float64Array.from(truth), found];
}
