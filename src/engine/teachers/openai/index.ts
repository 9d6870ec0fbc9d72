import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import { LeafError } from "../../errors.ts";
import type { TeacherOptions } from "../createTeacher.ts";
import type { Teacher } from "../teacher.ts";

export async function createOpenaiTeacher(
  _config: OpenaiTeacherConfig,
  _options: TeacherOptions,
): Promise<Teacher> {
  throw new LeafError("environment", "This teacher is not built yet.");
}

export async function openaiTeacherFingerprint(config: OpenaiTeacherConfig): Promise<string> {
  return JSON.stringify(config);
}
