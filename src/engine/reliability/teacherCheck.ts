import type { TeacherCheck } from "../../protocol/results.ts";
import { LeafError } from "../base/errors.ts";
import type { Project } from "../config/project.ts";
import { openLabels } from "../labels/labels.ts";
import { ownPoints } from "../labels/teacherAnswers.ts";
import { srcc } from "../metrics/agreement.ts";
import { bootstrapIntervals } from "../metrics/bootstrap.ts";

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
const mostImages = 500;

/** Whether a teacher's scores clearly agree with human ones, both higher for better. Pairs that are not finite are left out. */
export function checkTeacher(scores: Float64Array, truth: Float64Array): TeacherCheck {
  const known = Uint32Array.from(scores.keys()).filter(
    (i) => Number.isFinite(scores[i]!) && Number.isFinite(truth[i]!),
  );
  const [x, y] = [Float64Array.from(known, (i) => scores[i]!), Float64Array.from(known, (i) => truth[i]!)];
  const n = x.length;
  const found = srcc(x, y);
  const ci95 = found === null ? null : bootstrapIntervals(x, y, { replicates, seed: 0 }).srcc;
  const constantTruth = y.every((value) => value === y[0]);
  if (n < leastImages || constantTruth) return { n, srcc: found, ci95, verdict: "unknown" };
  if (ci95 && ci95[0] > leastAgreement) return { n, srcc: found, ci95, verdict: "useful" };
  return { n, srcc: found, ci95, verdict: found !== null && found >= chanceAgreement ? "unclear" : "chance" };
}

/** The same from the label store: the teacher's own scores of at most 500 of `images`. Without a store or labels: unknown. */
export function teacherCheckOf(
  project: Project,
  teacher: string,
  images: readonly string[],
  truthOf: (hash: string) => number,
): TeacherCheck {
  // By hash: neither the sample nor the bootstrap depends on how the images were chosen.
  return checkTeacher(...ownScores(project, teacher, [...images].sort().slice(0, mostImages), truthOf));
}

/** SRCC of the teacher's own scores; null without any. */
export function teacherSrcc(
  project: Project,
  teacher: string,
  images: readonly string[],
  truthOf: (hash: string) => number,
): number | null {
  return srcc(...ownScores(project, teacher, images, truthOf));
}

function ownScores(
  project: Project,
  teacher: string,
  images: readonly string[],
  truthOf: (hash: string) => number,
): [scores: Float64Array, truth: Float64Array] {
  const [scores, truth]: [number[], number[]] = [[], []];
  try {
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      for (const { image, score } of ownPoints(store, teacher, images)) {
        if (Number.isNaN(score)) continue;
        scores.push(score);
        truth.push(truthOf(image));
      }
    } finally {
      store.close();
    }
  } catch (error) {
    // No store yet; a damaged one is told by the stage that needs it.
    if (!(error instanceof LeafError)) throw error;
  }
  return [Float64Array.from(scores), Float64Array.from(truth)];
}
