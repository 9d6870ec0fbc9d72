import path from "node:path";
import type { ImageRow } from "../../protocol/images.ts";
import type { LiveProject } from "../project.ts";
import { isInside, type Projects } from "../projects.ts";

/** An image file and the project it belongs to. */
export interface FoundImage {
  project: LiveProject;
  row: ImageRow;
  file: string;
}

/** Relative to the config's folder with forward slashes, as in the index; it may begin with `../`. */
export function pathInProject(project: LiveProject, file: string): string {
  return path.relative(path.dirname(project.file), file).split(path.sep).join("/");
}

/** The project that a file is an image of, the nearest first; undefined if it is none of any. */
export async function findImage(projects: Projects, file: string): Promise<FoundImage | undefined> {
  for (const project of nearestFirst(projects, file)) {
    const browser = await project.browser().catch(() => undefined);
    const row = browser?.rowOfPath(pathInProject(project, file));
    if (row) return { project, row, file };
  }
  return undefined;
}

/** Projects that a file may belong to: those around it, then those whose images lie elsewhere. */
export function nearestFirst(projects: Projects, file: string): LiveProject[] {
  const around = projects.all().filter((one) => isInside(path.dirname(one.file), file));
  around.sort((a, b) => path.dirname(b.file).length - path.dirname(a.file).length);
  return [...around, ...projects.all().filter((one) => !around.includes(one))];
}
