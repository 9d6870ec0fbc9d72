import {
  commands,
  type Disposable,
  EventEmitter,
  l10n,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  Uri,
  window,
} from "vscode";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import type { Leaf } from "../leaf.ts";
import { rootRow } from "../projects/choice.ts";
import { isRunning } from "../projects/contextKeys.ts";
import { viewCommandIds } from "../viewCommands.ts";
import { pipelineRows, projectRow, type Row } from "./stageWords.ts";

/** A row and its config: menus hand it to commands, which read `config`. */
interface Node {
  config: string;
  row: Row;
}

/** Pipeline: images, human scores and the stages of each config, with state, progress and why something is stale. */
export function pipelineTree({ state }: Leaf): Disposable[] {
  const changed = new EventEmitter<void>();
  const tree = window.createTreeView<Node>("leaf.pipeline", {
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: (node) => children(state.ordered(), node),
      getTreeItem: (node) => item(node, state.ordered()),
    },
  });
  let endProgress: (() => void) | undefined;
  const subscription = state.onChanged((projects) => {
    changed.fire();
    const running = projects.filter(isRunning).length;
    tree.badge = running > 0 ? { value: running, tooltip: l10n.t("{0} running", running) } : undefined;
    if (running > 0 && !endProgress) {
      void window.withProgress({ location: { viewId: "leaf.pipeline" } }, () => {
        return new Promise<void>((resolve) => {
          endProgress = resolve;
        });
      });
    } else if (running === 0) {
      endProgress?.();
      endProgress = undefined;
    }
  });
  const open = commands.registerCommand(viewCommandIds.openConfig, async (node?: { config: string }) => {
    if (node) await window.showTextDocument(Uri.parse(node.config, true));
  });
  const switched = state.onCurrent(() => changed.fire());
  return [changed, tree, subscription, switched, open, { dispose: () => endProgress?.() }];
}

function children(projects: ProjectSnapshot[], node: Node | undefined): Node[] {
  if (!node && projects.length > 1)
    return projects.map((one) => ({ config: one.config, row: projectRow(one, l10n.t) }));
  if (node?.row.children) return node.row.children.map((row) => ({ config: node.config, row }));
  const project = node ? projects.find(({ config }) => config === node.config) : projects[0];
  if (!project || (node && node.row.id !== "project")) return [];
  return pipelineRows(project, Date.now(), l10n.t).map((row) => ({ config: project.config, row }));
}

function item({ config, row }: Node, ordered: ProjectSnapshot[]): TreeItem {
  const root = row.id === "project" ? rootRow(config, ordered) : null;
  const made = new TreeItem(
    row.label,
    root?.open
      ? TreeItemCollapsibleState.Expanded
      : root || row.children
        ? TreeItemCollapsibleState.Collapsed
        : TreeItemCollapsibleState.None,
  );
  made.id = root?.id ?? `${config}#${row.id}`;
  made.description = row.description;
  made.tooltip = new MarkdownString(row.tooltip);
  made.iconPath = new ThemeIcon(row.icon, row.color ? new ThemeColor(row.color) : undefined);
  made.contextValue = row.contextValue;
  made.accessibilityInformation = { label: `${row.label}, ${row.description}` };
  if (row.opens)
    made.command = {
      command: "vscode.open",
      title: l10n.t("Open"),
      arguments: [Uri.parse(row.opens, true)],
    };
  if (row.id === "invalid")
    made.command = {
      command: viewCommandIds.openConfig,
      title: l10n.t("Open Config"),
      arguments: [{ config }],
    };
  return made;
}
