import type { TeacherConfig } from "../config/teacher.ts";
import { clipTeacherFingerprint } from "./clip/identity.ts";
import { createClipTeacher } from "./clip/teacher.ts";
import { createEmbeddedTeacher, embeddedTeacherFingerprint } from "./embedded/teacher.ts";
import { createOpenaiTeacher, openaiTeacherFingerprint } from "./openai/teacher.ts";
import type { Teacher, TeacherOptions } from "./teacher.ts";
import { createTransformersTeacher, transformersTeacherFingerprint } from "./transformers/teacher.ts";

const notOne = "An ensemble is several teachers: each is made by itself, and their labels are combined.";

/**
 * The teacher that the config names, ready to judge: one, or a member of an ensemble. Throws LeafError `environment` where its server, model or device
 * cannot be used, with the reason.
 */
export async function createTeacher(config: TeacherConfig, options: TeacherOptions): Promise<Teacher> {
  switch (config.kind) {
    case "embedded":
      return createEmbeddedTeacher({ maxPixels: options.maxPixels });
    case "clip":
      return createClipTeacher(config, options);
    case "openai":
      return createOpenaiTeacher(config, options);
    case "transformers":
      return createTransformersTeacher(config, options);
    case "ensemble":
      throw new Error(notOne);
  }
}

/** Its fingerprint alone, which takes no model, server or GPU. `root`: folder of the config, for a model in a folder. */
export async function teacherFingerprint(config: TeacherConfig, root: string): Promise<string> {
  switch (config.kind) {
    case "embedded":
      return embeddedTeacherFingerprint();
    case "clip":
      return clipTeacherFingerprint(config, root);
    case "openai":
      return openaiTeacherFingerprint(config, root);
    case "transformers":
      return transformersTeacherFingerprint(config, root);
    case "ensemble":
      throw new Error(notOne);
  }
}
