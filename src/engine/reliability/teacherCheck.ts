import type { TeacherCheck } from "../../protocol/results.ts";
import { LeafError } from "../errors.ts";
import { ownPoints } from "../labels/own.ts";
import { openLabels } from "../labels.ts";
import { bootstrapIntervals } from "../metrics/bootstrap.ts";
import { srcc } from "../metrics/index.ts";
import type { Project } from "../project.ts";

export type { TeacherCheck };

/** Fewer images cannot tell a good teacher from a bad one: nothing is concluded. */
const leastImages = 10;
/** The lower end of the 95 % interval of SRCC must be above this. */
const leastAgreement = 0.1;
const replicates = 2000;

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
  return { n, srcc: found, ci95, verdict: ci95 && ci95[0] > leastAgreement ? "useful" : "chance" };
}

/** The same from the label store: the teacher's own scores of `images`. Without a store or labels: unknown. */
export function teacherCheckOf(
  project: Project,
  teacher: string,
  images: readonly string[],
  truthOf: (hash: string) => number,
): TeacherCheck {
  const [scores, truth]: [number[], number[]] = [[], []];
  try {
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      // In an order of its own: the bootstrap must not depend on how the images were chosen.
      for (const { image, score } of ownPoints(store, teacher, [...images].sort())) {
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
  return checkTeacher(Float64Array.from(scores), Float64Array.from(truth));
}
