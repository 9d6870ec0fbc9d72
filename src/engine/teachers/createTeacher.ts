import { availableParallelism } from "node:os";
import type { TeacherConfig } from "../config/teacher.ts";
import { clipTeacherFingerprint } from "./clip/identity.ts";
import type { Teacher, TeacherOptions } from "./teacher.ts";

// Each kind is loaded where it is asked for.
const embedded = () => import("./embedded/teacher.ts");
const clip = () => import("./clip/teacher.ts");
const openai = () => import("./openai/teacher.ts");
const transformers = () => import("./transformers/teacher.ts");

const notOne = "An ensemble is several teachers: each is made by itself, and their labels are combined.";

/**
 * The teacher that the config names, ready to judge: one, or a member of an ensemble. Throws LeafError `environment` where its server, model or device
 * cannot be used, with the reason.
 */
export async function createTeacher(config: TeacherConfig, options: TeacherOptions): Promise<Teacher> {
  switch (config.kind) {
    case "embedded":
      return (await embedded()).createEmbeddedTeacher({
        threads: options.threads ?? availableParallelism(),
        maxPixels: options.maxPixels,
      });
    case "clip":
      return (await clip()).createClipTeacher(config, options);
    case "openai":
      return (await openai()).createOpenaiTeacher(config, options);
    case "transformers":
      return (await transformers()).createTransformersTeacher(config, options);
    case "ensemble":
      throw new Error(notOne);
  }
}

/** Its fingerprint alone, which takes no model, server or GPU. `root`: folder of the config, for a model in a folder. */
export async function teacherFingerprint(config: TeacherConfig, root: string): Promise<string> {
  switch (config.kind) {
    case "embedded":
      return (await embedded()).embeddedTeacherFingerprint();
    case "clip":
      return clipTeacherFingerprint(config, root);
    case "openai":
      return (await openai()).openaiTeacherFingerprint(config, root);
    case "transformers":
      return (await transformers()).transformersTeacherFingerprint(config, root);
    case "ensemble":
      throw new Error(notOne);
  }
}
