import type { ProjectSnapshot } from "../../protocol/project.ts";
import type { StageName } from "../../protocol/results.ts";

/** What `when` clauses of package.json ask for; kept in one place with the reason of each. */
export interface ContextKeys {
  "leaf.hasProject": boolean;
  /** One of them is the current one, and another can be picked. */
  "leaf.hasSeveralConfigs": boolean;
  /** Some project has a job under way. */
  "leaf.running": boolean;
  /** There is a student to export. */
  "leaf.hasStudent": boolean;
  /** Human scores are named by a config. */
  "leaf.hasMos": boolean;
  /** There are images that a person could rate. */
  "leaf.rateable": boolean;
  /** Labels exist: pairs can be reviewed, labels exported. */
  "leaf.hasLabels": boolean;
  /** A run exists. */
  "leaf.hasRuns": boolean;
  /** Something can be started: some project is valid and idle. */
  "leaf.startable": boolean;
}

export function contextKeys(projects: ProjectSnapshot[]): ContextKeys {
  const has = (stage: StageName) => projects.some((one) => headline(one, stage) !== null);
  return {
    "leaf.hasProject": projects.length > 0,
    "leaf.hasSeveralConfigs": projects.length > 1,
    "leaf.running": projects.some(isRunning),
    "leaf.hasStudent": projects.some(({ scorer }) => scorer?.kind === "student"),
    "leaf.hasMos": projects.some(({ mos }) => mos !== null),
    "leaf.rateable": projects.some(({ images }) => (images?.usable ?? 0) > 0),
    "leaf.hasLabels": has("label"),
    "leaf.hasRuns": projects.some(({ stages }) => stages.some(({ run }) => run !== null)),
    "leaf.startable": projects.some((one) => !one.invalid && !isRunning(one)),
  };
}

export function isRunning({ job }: ProjectSnapshot): boolean {
  return job?.state === "running";
}

function headline(project: ProjectSnapshot, stage: StageName): string | null {
  return project.stages.find((one) => one.stage === stage)?.headline ?? null;
}
