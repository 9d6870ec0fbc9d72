import type { PanelState, PanelTab } from "../../src/protocol/panel.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";

/** Where the panel opens: where it was left, else on what matters now. */
export function openingState(projects: readonly ProjectSnapshot[], saved: PanelState | null): PanelState {
  const kept = saved && projects.some((project) => project.config === saved.config);
  if (kept) return saved;
  const project = projects.find(isRunning) ?? projects[0];
  return { config: project?.config ?? null, tab: project ? tabOfNow(project) : "run", tabs: {} };
}

/** Running → Run; nothing yet → Run, which says how to begin; done → Metrics. */
export function tabOfNow(project: ProjectSnapshot): PanelTab {
  if (isRunning(project)) return "run";
  const evaluated = project.stages.some(({ stage, headline }) => stage === "evaluate" && headline !== null);
  return evaluated ? "metrics" : "run";
}

export const isRunning = (project: ProjectSnapshot): boolean => project.job?.state === "running";
