import {
  type Disposable,
  EventEmitter,
  l10n,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  window,
} from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { ProjectSnapshot, RunSummary } from "../../protocol/project.ts";
import type { Leaf } from "../leaf.ts";
import { log } from "../log.ts";
import { rootRow } from "../projects/choice.ts";
import { fileNameOf, runDescription, runTooltip, shownRuns } from "../runWords.ts";

/** A run, or the config that it belongs to; menus hand it to commands. */
export interface RunNode {
  /** Of the project that was asked. */
  config: string;
  /** null: the config's own row. */
  run: RunSummary | null;
  name: string;
}

/** Runs, newest first, with their metrics. */
export function runsTree({ client, state }: Leaf): { disposables: Disposable[]; refresh(): void } {
  const changed = new EventEmitter<void>();
  const tree = window.createTreeView<RunNode>("leaf.runs", {
    canSelectMany: true,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren,
      getTreeItem: (node) => item(node, state.ordered()),
    },
  });
  let known = "";
  const subscription = state.onChanged((projects) => {
    // Runs change when a stage does, not with every step of its progress.
    const now = JSON.stringify(
      projects.map(({ config, stages, job }) => [
        config,
        job?.id,
        job?.state,
        stages.map((one) => [one.run, one.updated]),
      ]),
    );
    if (now === known) return;
    known = now;
    changed.fire();
  });

  async function getChildren(node?: RunNode): Promise<RunNode[]> {
    const projects = state.ordered();
    if (!node && projects.length > 1)
      return projects.map(({ config, name }) => ({ config, name, run: null }));
    const config = node?.config ?? projects[0]?.config;
    if (!config || node?.run || !client.isRunning()) return [];
    try {
      const runs = shownRuns(await client.request("leaf/runs", { config }), node ? config : undefined);
      const several = new Set(runs.map((run) => run.config)).size > 1;
      return runs.map((run) => ({
        config,
        name: several ? `${run.id} · ${fileNameOf(run.config)}` : run.id,
        run,
      }));
    } catch (error) {
      log().warn(`Runs could not be listed: ${String(error)}`);
      return [];
    }
  }

  return {
    disposables: [changed, tree, subscription, state.onCurrent(() => changed.fire())],
    refresh: () => changed.fire(),
  };
}

function item({ config, run, name }: RunNode, ordered: ProjectSnapshot[]): TreeItem {
  if (!run) {
    const { id, open } = rootRow(config, ordered);
    const made = new TreeItem(
      name,
      open ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed,
    );
    made.id = id;
    made.iconPath = new ThemeIcon("file-code");
    made.contextValue = "runs.config";
    return made;
  }
  const made = new TreeItem(name);
  made.id = `${config}#${run.id}`;
  made.description = runDescription(run, Date.now(), l10n.t);
  made.tooltip = new MarkdownString(runTooltip(run, Date.now(), l10n.t));
  made.iconPath = iconOf(run);
  made.contextValue = `run.${run.pinned ? "pinned" : "unpinned"}.${run.state === "running" ? "busy" : "idle"}`;
  made.command = {
    command: commandIds.openPanel,
    title: l10n.t("Show in IQA Panel"),
    arguments: [config, "runs", { runs: [run.id] }],
  };
  return made;
}

function iconOf({ state, pinned }: RunSummary): ThemeIcon {
  if (state === "running") return new ThemeIcon("loading~spin");
  if (state === "failed") return new ThemeIcon("error", new ThemeColor("list.errorForeground"));
  if (pinned) return new ThemeIcon("pinned");
  return new ThemeIcon(state === "cancelled" ? "circle-slash" : "pass");
}
