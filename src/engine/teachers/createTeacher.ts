import type { Config } from "../config.ts";
import { createEmbeddedTeacher } from "./embedded/index.ts";
import type { Teacher } from "./teacher.ts";

/** The teacher that the config names. */
export async function createTeacher(config: Config["teacher"]): Promise<Teacher> {
  switch (config.kind) {
    case "embedded":
      return createEmbeddedTeacher();
  }
}
