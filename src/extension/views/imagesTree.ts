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
import { commandIds } from "../../protocol/commands.ts";
import type { ImageQuery, ImageRow } from "../../protocol/images.ts";
import type { ProjectSnapshot, ScorerInfo } from "../../protocol/project.ts";
import type { Band } from "../../protocol/server.ts";
import { escapeMarkdown } from "../../words/escape.ts";
import { count, type Range } from "../../words/figure.ts";
import { bandWord, betterThan, fiveScale, scoreFigure, scoreText } from "../../words/score.ts";
import { render } from "../../words/text.ts";
import { imageDescription, scoringMessage } from "../images/imageWords.ts";
import type { Leaf } from "../leaf.ts";
import { log } from "../log.ts";
import { rootRow } from "../projects/choice.ts";
import { viewCommandIds } from "../viewCommands.ts";

type Mode = "bands" | "worst";

type Node =
  | { kind: "project"; config: string; name: string }
  | { kind: "band"; config: string; band: Band }
  | { kind: "image"; config: string; row: ImageRow }
  /** `list` names the list that grows: a band's, or the whole project's. */
  | { kind: "more"; config: string; list: string; left: number };

const pageSize = 100;
const modeKey = "leaf.imagesView";

/** Images by bands of quality or worst first. Pages are fetched as they are asked for. */
export function imagesTree({ client, context, state }: Leaf): Disposable[] {
  const changed = new EventEmitter<void>();
  /** How many rows of each list are shown. */
  const shown = new Map<string, number>();
  let mode: Mode = context.workspaceState.get<Mode>(modeKey, "bands");
  let timer: NodeJS.Timeout | undefined;

  const tree = window.createTreeView<Node>("leaf.images", {
    showCollapseAll: true,
    treeDataProvider: { onDidChangeTreeData: changed.event, getChildren, getTreeItem },
  });

  async function getChildren(node?: Node): Promise<Node[]> {
    const projects = state.ordered();
    if (!client.isRunning()) return [];
    try {
      if (!node && projects.length > 1)
        return projects.map(({ config, name }) => ({ kind: "project", config, name }));
      const project = node ? state.project(node.config) : projects[0];
      if (!project?.images || project.invalid) return [];
      if (node?.kind === "band")
        return await page(project, { ...worstFirst, score: node.band.range }, node.band.name);
      if (mode === "worst") return await page(project, worstFirst, "all");
      const bands = await client.request("leaf/bands", { config: project.config });
      return bands
        .filter(({ count }) => count > 0)
        .map((band) => ({ kind: "band", config: project.config, band }));
    } catch (error) {
      log().warn(`Images could not be listed: ${String(error)}`);
      return [];
    }
  }

  async function page(project: ProjectSnapshot, query: Omit<ImageQuery, "offset" | "limit">, name: string) {
    const { config } = project;
    const list = `${config}#${name}`;
    const limit = shown.get(list) ?? pageSize;
    const { rows, total } = await client.request("leaf/images", {
      config,
      query: { ...query, offset: 0, limit },
    });
    // Not yet scored ones are no "worst" images.
    const nodes: Node[] = rows
      .filter(({ score }) => score !== null)
      .map((row) => ({ kind: "image", config, row }));
    if (rows.length < total && nodes.length === rows.length)
      nodes.push({ kind: "more", config, list, left: total - rows.length });
    return nodes;
  }

  function getTreeItem(node: Node): TreeItem {
    switch (node.kind) {
      case "project": {
        const { id, open } = rootRow(node.config, state.ordered());
        const made = new TreeItem(
          node.name,
          open ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed,
        );
        made.id = id;
        made.iconPath = new ThemeIcon("file-code");
        return made;
      }
      case "band":
        return bandItem(node.band, state.project(node.config)?.scorer?.scale ?? fiveScale);
      case "image":
        return imageItem(node.row, state.project(node.config));
      case "more": {
        const made = new TreeItem(l10n.t("Load more …"));
        made.description = l10n.t("{0} left", count(node.left));
        made.iconPath = new ThemeIcon("ellipsis");
        made.command = {
          command: viewCommandIds.moreImages,
          title: made.label as string,
          arguments: [node.list],
        };
        return made;
      }
    }
  }

  function refreshSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed.fire();
    }, 700);
  }

  async function setMode(next: Mode): Promise<void> {
    mode = next;
    shown.clear();
    await context.workspaceState.update(modeKey, mode);
    await commands.executeCommand("setContext", "leaf.imagesMode", mode);
    changed.fire();
  }
  void commands.executeCommand("setContext", "leaf.imagesMode", mode);

  let known = "";
  return [
    changed,
    tree,
    { dispose: () => clearTimeout(timer) },
    client.on("leaf/scoresChanged", refreshSoon),
    state.onCurrent(() => changed.fire()),
    state.onChanged((projects) => {
      const [only] = projects;
      tree.message = only && projects.length === 1 ? scoringMessage(only, l10n.t) : undefined;
      const now = JSON.stringify(
        projects.map(({ config, invalid, images, scorer }) => [
          config,
          invalid,
          images?.usable,
          scorer?.fingerprint,
        ]),
      );
      if (now !== known) changed.fire();
      known = now;
    }),
    commands.registerCommand(viewCommandIds.imagesByBand, () => setMode("bands")),
    commands.registerCommand(viewCommandIds.imagesWorstFirst, () => setMode("worst")),
    commands.registerCommand(viewCommandIds.refreshImages, () => changed.fire()),
    commands.registerCommand(viewCommandIds.moreImages, (list: string) => {
      shown.set(list, (shown.get(list) ?? pageSize) + pageSize);
      changed.fire();
    }),
    commands.registerCommand(viewCommandIds.showImageInPanel, (node?: Node) =>
      node?.kind === "image"
        ? commands.executeCommand(commandIds.openPanel, node.config, "gallery", { hash: node.row.hash })
        : undefined,
    ),
  ];
}

/** Ascending is worst first on every scale. */
const worstFirst = { sort: "score", descending: false } as const;

function bandItem(band: Band, scale: Range): TreeItem {
  const word = bandWord(l10n.t, band.name);
  const made = new TreeItem(word.charAt(0).toUpperCase() + word.slice(1), TreeItemCollapsibleState.Collapsed);
  const [low, high] = band.range;
  const ends = [scoreFigure(low, scale), scoreFigure(high, scale)] as const;
  made.description =
    band.count === 1
      ? l10n.t("1 image · {0} to {1}", ...ends)
      : l10n.t("{0} images · {1} to {2}", count(band.count), ...ends);
  made.iconPath = new ThemeIcon(
    band.name === "bad" ? "warning" : "circle-large-outline",
    band.name === "bad" ? new ThemeColor("leaf.worstImageForeground") : undefined,
  );
  made.contextValue = "band";
  return made;
}

function imageItem(row: ImageRow, project: ProjectSnapshot | undefined): TreeItem {
  const uri = Uri.parse(row.uri, true);
  const made = new TreeItem(uri);
  made.description = imageDescription(row, project?.scorer?.scale ?? fiveScale);
  made.contextValue = "image";
  made.tooltip = tooltip(row, project?.scorer ?? null);
  made.iconPath = ThemeIcon.File;
  made.command = { command: "vscode.open", title: l10n.t("Open Image"), arguments: [uri] };
  return made;
}

function tooltip(row: ImageRow, scorer: ScorerInfo | null): MarkdownString {
  const lines = [`**${escapeMarkdown(row.path)}** · ${row.width}×${row.height}`];
  if (row.score !== null && scorer) {
    const quality = l10n.t("Quality {0}", scoreText(l10n.t, row.score, scorer.scale, row.sd));
    const place = row.rank === null ? "" : ` · ${betterThan(l10n.t, row.rank)}`;
    lines.push(`${quality}${place}  \n(${escapeMarkdown(render(scorer.title, l10n.t))})`);
  }
  return new MarkdownString(lines.join("\n\n"));
}
