import type { Project } from "../../engine/config/project.ts";

/** Environment variables with the keys that some configs' endpoints were given. */
export type KeysFor = (configs: readonly Pick<Project, "config">[]) => Record<string, string>;
