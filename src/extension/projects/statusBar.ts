import { type Disposable, l10n, MarkdownString, StatusBarAlignment, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import type { ImageView } from "../../protocol/server.ts";
import { commandLink } from "../../words/escape.ts";
import { percentOf, progressDetails, progressLine } from "../../words/progress.ts";
import { workTitle } from "../../words/titles.ts";
import { activeImage } from "../images/activeImage.ts";
import { statusText, statusTooltip } from "../images/imageWords.ts";
import type { Leaf } from "../leaf.ts";
import { log } from "../log.ts";
import { isRunning } from "./contextKeys.ts";
import type { State } from "./state.ts";

/** One item: the quality of the open image, and the job that runs; hidden where there is neither. */
export function statusBar({ client, state }: Leaf): Disposable[] {
  const item = window.createStatusBarItem("leaf.status", StatusBarAlignment.Right, 90);
  item.name = "LEAF";
  let view: ImageView | null = null;
  let asked = "";
  let latest = 0;

  async function lookAtImage(again = false): Promise<void> {
    const uri = activeImage()?.toString() ?? "";
    if (uri === asked && !again) return;
    asked = uri;
    const turn = ++latest;
    if (uri !== (view?.row.uri ?? "")) view = null;
    draw();
    if (!uri || !client.isRunning()) return;
    try {
      const answer = await client.request("leaf/image", { uri });
      if (turn !== latest) return;
      view = answer;
      draw();
    } catch (error) {
      log().debug(`No quality for ${uri}: ${String(error)}`);
    }
  }

  function draw(): void {
    const running = state.projects().find(isRunning);
    if (!view && !running) {
      item.hide();
      return;
    }
    const texts = [
      view && `$(eye) ${statusText(view, l10n.t)}`,
      running && runningText(running, view !== null),
    ];
    item.text = texts.filter(Boolean).join("  ");
    item.tooltip = tooltip(view, running);
    item.accessibilityInformation = { label: `LEAF ${item.text.replace(/\$\([^)]*\)/g, "").trim()}` };
    item.command = view
      ? {
          command: commandIds.openPanel,
          title: l10n.t("Open in IQA Panel"),
          arguments: [view.project.config, "gallery", { hash: view.row.hash }],
        }
      : {
          command: commandIds.openPanel,
          title: l10n.t("Open IQA Panel"),
          arguments: [running?.config, "run"],
        };
    item.show();
  }

  return [
    item,
    ...currentConfig(state),
    window.tabGroups.onDidChangeTabs(() => void lookAtImage()),
    window.tabGroups.onDidChangeTabGroups(() => void lookAtImage()),
    client.onReady(() => void lookAtImage(true)),
    client.on("leaf/scoresChanged", ({ uris, all }) => {
      if (asked && (all || uris.includes(asked))) void lookAtImage(true);
    }),
    state.onChanged(draw),
  ];
}

/** Which config views and commands are about, where there are several; a click has another one picked. */
function currentConfig(state: State): Disposable[] {
  const item = window.createStatusBarItem("leaf.config", StatusBarAlignment.Right, 91);
  item.name = l10n.t("LEAF Config");
  item.command = commandIds.switchConfig;

  function draw(): void {
    if (state.projects().length < 2) {
      item.hide();
      return;
    }
    const current = state.project(state.current() ?? "");
    item.text = `$(file-code) ${current?.name ?? l10n.t("Which config?")}`;
    item.tooltip = current
      ? l10n.t("LEAF works with {0}. Click to switch to another config.", current.name)
      : l10n.t("Click to pick the config that LEAF works with.");
    item.accessibilityInformation = { label: item.tooltip };
    item.show();
  }
  return [item, state.onChanged(draw), state.onCurrent(draw)];
}

function runningText({ job }: ProjectSnapshot, short: boolean): string {
  const progress = job?.progress ?? null;
  const percent = percentOf(progress);
  const words = short && percent !== null ? `${percent} %` : progressLine(l10n.t, progress);
  return `$(loading~spin) ${short ? words : `LEAF ${progress?.stage ?? ""} ${words}`}`;
}

function tooltip(view: ImageView | null, running: ProjectSnapshot | undefined): MarkdownString {
  const made = new MarkdownString("", true);
  made.isTrusted = { enabledCommands: [commandIds.openPanel, commandIds.score, commandIds.stop] };
  if (view) made.appendMarkdown(statusTooltip(view, l10n.t));
  if (view && running) made.appendMarkdown("\n\n---\n\n");
  if (running?.job) {
    const { kind, progress } = running.job;
    made.appendMarkdown(`**${workTitle(l10n.t, kind)}** · `);
    made.appendText(running.name);
    made.appendMarkdown("\n\n");
    const details = progress && progressDetails(l10n.t, progress);
    made.appendText([progressLine(l10n.t, progress), details].filter(Boolean).join(" · "));
    made.appendMarkdown(
      `\n\n${commandLink(l10n.t("Show"), commandIds.openPanel, running.config, "run")} · ${commandLink(l10n.t("Stop"), commandIds.stop, running.config)}`,
    );
  }
  return made;
}
