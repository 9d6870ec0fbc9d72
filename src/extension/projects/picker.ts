import { commands, l10n, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import { chooseProject, currentFirst, type Target } from "./choice.ts";
import type { State } from "./state.ts";

/** The config's URI that a command is about, asking if need be; undefined if the user turned away. */
export async function pickProject(
  state: State,
  target: Target,
  fits?: (project: ProjectSnapshot) => boolean,
): Promise<string | undefined> {
  const projects = state.projects().length > 0 ? state.projects() : await state.refresh();
  const choice = chooseProject(projects, target, state.current(), fits);
  if (choice.kind === "one") return used(state, choice.config);
  if (choice.kind === "pick") return pickFrom(state, choice.projects);
  const newConfig = l10n.t("New Config");
  const demo = l10n.t("Open Demo Workspace");
  const chosen = await window.showInformationMessage(
    projects.length === 0
      ? l10n.t("There is no leaf.yaml in this workspace yet.")
      : l10n.t("No config of this workspace can do that now."),
    ...(projects.length === 0 ? [newConfig, demo] : []),
  );
  if (chosen === newConfig) await commands.executeCommand(commandIds.newConfig);
  if (chosen === demo) await commands.executeCommand(commandIds.openDemo);
  return undefined;
}

/** Has one picked, which is the current one then. */
export async function pickFrom(state: State, projects: ProjectSnapshot[]): Promise<string | undefined> {
  const current = state.current();
  const items = currentFirst(projects, current).map(({ name, imagesName, invalid, config }) => ({
    label: config === current ? `$(check) ${name}` : name,
    description: imagesName,
    detail: invalid ?? undefined,
    config,
  }));
  const picked = await window.showQuickPick(items, { placeHolder: l10n.t("Which config?") });
  return picked && used(state, picked.config);
}

function used(state: State, config: string): string {
  state.use(config);
  return config;
}
