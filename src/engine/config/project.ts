import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { ExperimentMark } from "../../protocol/results.ts";
import { withFileErrors, writeFileAtomic } from "../base/files.ts";
import { keyOf } from "../base/keys.ts";
import type { Config } from "./config.ts";
import { loadConfig } from "./read.ts";

/** A config file and the places that belong to it; `.leaf/` is beside it. */
export interface Project {
  configFile: string;
  /** Folder of the config; paths in the config are relative to it. */
  root: string;
  config: Config;
  leaf: string;
  labelsFile: string;
  indexFile: string;
  cache: string;
  stages: string;
  runs: string;
  /** Set where this config is a trial of an experiment; its runs carry it. */
  experiment?: ExperimentMark;
  /** Set where the config is as a target beside the main one sees it; no run is of it, and people's words of labels are not of it. */
  target?: string;
}

export async function openProject(configFile: string): Promise<Project> {
  const file = path.resolve(configFile);
  return projectOf(file, await loadConfig(file));
}

export function projectOf(configFile: string, config: Config): Project {
  const root = path.dirname(configFile);
  const leaf = path.join(root, ".leaf");
  return {
    configFile,
    root,
    config,
    leaf,
    labelsFile: path.join(leaf, "labels.sqlite"),
    // Two configs with other images beside each other each keep their index.
    indexFile: path.join(leaf, "cache", `index-${keyOf(config.images).slice(0, 8)}.sqlite`),
    cache: path.join(leaf, "cache"),
    stages: path.join(leaf, "stages"),
    runs: path.join(leaf, "runs"),
  };
}

/** A file as people name it: relative to the config's folder, with forward slashes. */
export function nameIn(project: Pick<Project, "root">, file: string): string {
  return path.relative(project.root, file).replaceAll("\\", "/");
}

/** Where a command that is no stage leaves the list of what failed. */
export function failuresDir(project: Project, command: string): string {
  return path.join(project.leaf, "failures", command);
}

/** Makes `.leaf/`, which ignores itself in git. */
export async function ensureLeafDir(project: Project): Promise<void> {
  // Not recursive: on a read-only disk that would report the folder as missing.
  await withFileErrors("create", project.leaf, () => mkdir(project.leaf)).catch((error) => {
    if (!existsSync(project.leaf)) throw error;
  });
  const ignore = path.join(project.leaf, ".gitignore");
  if (!existsSync(ignore)) await writeFileAtomic(ignore, "*\n");
}
