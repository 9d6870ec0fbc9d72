import { teacherCheck as schema } from "../../../protocol/schema/results.ts";
import { digestLines } from "../../base/keys.ts";
import { groupsOf } from "../../metrics/groups.ts";
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
  const [scores, truth, known] = teacherScores(plan.labels(), await plan.teacher(), sample, truthOf);
  const rows = digestLines(Array.from(scores, (score, i) => `${score} ${truth[i]}`));
  const groups = groupsOf(known.map((hash) => plan.catalog.groupNameOf(hash)));
  const inputs = { rows, ...(groups && { groups: digestLines(Array.from(groups.of, String)) }) };
  return fitted(plan, "teacherCheck", inputs, schema, () => checkTeacher(scores, truth, groups));
}
