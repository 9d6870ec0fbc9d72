import type { TransformersTeacherConfig } from "../../config/teacher.ts";
import { LeafError } from "../../errors.ts";
import type { TeacherOptions } from "../createTeacher.ts";
import type { Teacher } from "../teacher.ts";

export async function createTransformersTeacher(
  _config: TransformersTeacherConfig,
  _options: TeacherOptions,
): Promise<Teacher> {
  throw new LeafError("environment", "This teacher is not built yet.");
}

export async function transformersTeacherFingerprint(config: TransformersTeacherConfig): Promise<string> {
  return JSON.stringify(config);
}
