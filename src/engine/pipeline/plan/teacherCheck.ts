import { teacherCheck as schema } from "../../../protocol/schema/results.ts";
import { digestLines } from "../../base/keys.ts";
import {
  checkTeacher,
  mostCheckedImages,
  type TeacherCheck,
  teacherScores,
} from "../../reliability/teacherCheck.ts";
import { fitted } from "./fitted.ts";
import type { Plan } from "./types.ts";

/** Whether the teacher's own scores agree with the human ones, by at most 500 of `images`. Without labels: unknown. */
export async function fittedTeacherCheck(
  plan: Plan,
  images: readonly string[],
  truthOf: (hash: string) => number,
): Promise<TeacherCheck> {
  // By hash: neither the sample nor the bootstrap depends on how the images were chosen.
  const sample = [...images].sort().slice(0, mostCheckedImages);
  const teacher = await plan.teacher();
  const rows = digestLines(sample.map((hash) => `${hash} ${truthOf(hash)}`));
  return fitted(plan, "teacherCheck", { rows }, schema, () =>
    checkTeacher(...teacherScores(plan.labels(), teacher, sample, truthOf)),
  );
}
