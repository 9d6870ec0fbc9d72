import type { Config } from "../config.ts";
import { createEmbeddedTeacher, embeddedTeacherFingerprint } from "./embedded/index.ts";
import type { Teacher } from "./teacher.ts";

/** The teacher that the config names. */
export async function createTeacher(config: Config["teacher"]): Promise<Teacher> {
  switch (config.kind) {
    case "embedded":
      return createEmbeddedTeacher();
  }
}

/** Its fingerprint alone, which takes no model, server or GPU. */
export async function teacherFingerprint(config: Config["teacher"]): Promise<string> {
  switch (config.kind) {
    case "embedded":
      return embeddedTeacherFingerprint();
  }
}
