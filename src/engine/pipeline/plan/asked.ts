import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { Project } from "../../config/project.ts";
import { teacherFor } from "../../config/questions.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { furtherTargets, mosOfTarget, targetsOf } from "../../mos/complete.ts";

/** A project as one of its targets sees it. */
export interface TargetView {
  name: string;
  project: Project;
  catalog: Catalog;
}

/**
 * The targets beside the main one that the teacher has a question for. Each is a project of its own, with that question and these scores:
 * other answers by another fingerprint, and what is fitted to labels and ratings is fitted to its own.
 */
export function askedTargets(project: Project, catalog: Catalog): TargetView[] {
  return furtherTargets(project.config.mos).flatMap(({ name }) => {
    const own = projectOfTarget(project, name);
    return own ? [{ name, project: own, catalog: catalogOfTarget(catalog, name) }] : [];
  });
}

/** With the question and the scores of one target; the same of the main one. Throws LeafError `usage` where there is no such question. */
export function asTarget(project: Project, name: string | undefined): Project {
  if (name === undefined || name === targetsOf(project.config.mos)[0]?.name) return project;
  const own = projectOfTarget(project, name);
  if (own) return own;
  const names = targetsOf(project.config.mos).map((one) => one.name);
  if (!names.includes(name))
    throw new LeafError("usage", say`There is no target ${name}.`, {
      remedy:
        names.length > 0 ? say`The targets are: ${names.join(", ")}.` : say`\`mos.score\` names one target.`,
    });
  throw new LeafError("usage", say`The teacher has no question for ${name}.`, {
    remedy: say`Write one under \`teacher.prompts.targets\`.`,
  });
}

/** The catalog with the scores of a target beside the main one as its only ones. */
export function catalogOfTarget(catalog: Catalog, name: string): Catalog {
  const scores = catalog.targets?.find((one) => one.name === name);
  const { raw: _, mosShape: __, targets: ___, ...shared } = catalog;
  const own = { mos: scores?.mos ?? new Map(), mosStd: new Map(), mosCount: new Map() };
  return { ...shared, ...own, ...(scores?.raw && { raw: scores.raw }) };
}

/** Undefined where the teacher has no question for it. */
function projectOfTarget(project: Project, name: string): Project | undefined {
  const { config } = project;
  const target = furtherTargets(config.mos).find((one) => one.name === name);
  const teacher = target && teacherFor(config.teacher, name);
  if (!teacher) return undefined;
  return { ...project, target: name, config: { ...config, teacher, mos: mosOfTarget(config.mos!, target) } };
}
