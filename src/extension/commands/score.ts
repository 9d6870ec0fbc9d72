import { commands, l10n, ProgressLocation, Uri, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import { count } from "../../words/figure.ts";
import { kept } from "../../words/kept.ts";
import { scoreText } from "../../words/score.ts";
import { render } from "../../words/text.ts";
import { activeImage } from "../images/activeImage.ts";
import { imageExtensions } from "../images/imageFiles.ts";
import { urisOfArguments } from "../images/scoreTargets.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { isFolder } from "../workspaceFiles.ts";

let tokens = 0;

export function scoreCommands(leaf: Leaf): Handlers {
  return {
    async [commandIds.score](...args: unknown[]) {
      const given = urisOfArguments(args);
      const uris = given.length > 0 ? given : await askForUris();
      if (uris.length > 0) await score(leaf, uris);
    },
  };
}

async function score({ client, state }: Leaf, uris: string[]): Promise<void> {
  const token = `leaf-score-${process.pid}-${++tokens}`;
  const { scored, failed } = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t("Scoring"), cancellable: true },
    async (progress, cancellation) => {
      let shown = 0;
      const following = await client.onProgress(token, ({ message, percentage = 0 }) => {
        progress.report({ message, increment: Math.max(0, percentage - shown) });
        shown = Math.max(shown, percentage);
      });
      try {
        return await client.request("leaf/score", { uris, workDoneToken: token }, cancellation);
      } finally {
        following.dispose();
      }
    },
  );
  const [first] = uris;
  const single = uris.length === 1 && first !== undefined && !(await isFolder(Uri.parse(first, true)));
  if (failed.length > 0) await tellFailed(scored, failed);
  else if (single) {
    const [known] = await client.request("leaf/scores", { uris: [first] });
    const name = decodeURIComponent(first.split("/").at(-1) ?? "");
    if (known)
      void window.setStatusBarMessage(
        `${name}: ${scoreText(l10n.t, known.score, known.scale)} (${known.scorer})`,
        8_000,
      );
  } else {
    const gallery = l10n.t("Open Gallery");
    const chosen = await window.showInformationMessage(l10n.t("{0} images scored.", count(scored)), gallery);
    const config = first === undefined ? undefined : state.projectOfFile(`${first}/`)?.config;
    if (chosen === gallery) await commands.executeCommand(commandIds.openPanel, config, "gallery");
  }
}

async function tellFailed(scored: number, failed: { uri: string; reason: string }[]): Promise<void> {
  const list = l10n.t("Show Them");
  const chosen = await window.showWarningMessage(
    failed.length === 1
      ? l10n.t(
          "{0} images scored, one could not be: {1}",
          scored,
          render(kept(failed[0]?.reason ?? ""), l10n.t),
        )
      : l10n.t("{0} images scored, {1} could not be.", scored, failed.length),
    ...(failed.length > 1 ? [list] : []),
  );
  if (chosen !== list) return;
  const items = failed.map(({ uri, reason }) => ({
    label: decodeURIComponent(uri.split("/").at(-1) ?? uri),
    detail: render(kept(reason), l10n.t),
    uri,
  }));
  const picked = await window.showQuickPick(items, { matchOnDetail: true });
  if (picked) await commands.executeCommand("revealInExplorer", Uri.parse(picked.uri, true));
}

/** From the palette: the open image, or what a dialog gives. */
async function askForUris(): Promise<string[]> {
  const open = activeImage();
  if (open) return [open.toString()];
  const folder = l10n.t("A folder");
  const images = l10n.t("Images");
  const what = await window.showQuickPick([images, folder], { placeHolder: l10n.t("What to score?") });
  if (!what) return [];
  const chosen = await window.showOpenDialog({
    canSelectMany: true,
    canSelectFiles: what === images,
    canSelectFolders: what === folder,
    openLabel: l10n.t("Score"),
    filters: what === images ? { [images]: [...imageExtensions] } : undefined,
  });
  return (chosen ?? []).map((uri) => uri.toString());
}
