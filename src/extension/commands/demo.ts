import { homedir } from "node:os";
import { commands, type ExtensionContext, l10n, ProgressLocation, Uri, window, workspace } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { exists } from "../workspaceFiles.ts";

/** Config to be shown once its folder has been opened: opening a folder starts the extension anew. */
const openNextKey = "leaf.openNext";

export function demoCommands({ client, context, state }: Leaf): Handlers {
  return {
    async [commandIds.openDemo](parent?: unknown) {
      const folder = await demoFolder(parent, state.projects().length > 0);
      if (!folder) return;
      const made = await window.withProgress(
        {
          location: ProgressLocation.Notification,
          title: l10n.t("Making the demo's photos …"),
          cancellable: true,
        },
        (_, token) => client.request("leaf/newDemo", { folder: folder.toString() }, token),
      );
      await open(context, folder, Uri.parse(made.config, true));
    },
  };
}

/** Not beside images that some project reads: they would be read as its own. */
async function demoFolder(parent: unknown, hasProject: boolean): Promise<Uri | undefined> {
  let base = typeof parent === "string" ? Uri.parse(parent, true) : undefined;
  base ??= (
    await window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      title: l10n.t("Where to put the folder leaf-demo"),
      openLabel: l10n.t("Create leaf-demo Here"),
      defaultUri: (hasProject ? undefined : workspace.workspaceFolders?.[0]?.uri) ?? Uri.file(homedir()),
    })
  )?.[0];
  if (!base) return undefined;
  for (let n = 1; ; n++) {
    const folder = Uri.joinPath(base, n === 1 ? "leaf-demo" : `leaf-demo-${n}`);
    if (!(await exists(folder))) return folder;
  }
}

async function open(context: ExtensionContext, folder: Uri, config: Uri): Promise<void> {
  if (workspace.getWorkspaceFolder(folder)) {
    await window.showTextDocument(config);
    return;
  }
  let forceNewWindow = false;
  if (workspace.workspaceFolders?.length) {
    const here = l10n.t("Open Here");
    const beside = l10n.t("Open in New Window");
    const chosen = await window.showInformationMessage(
      l10n.t("The demo is in {0}.", folder.fsPath),
      here,
      beside,
    );
    if (!chosen) return;
    forceNewWindow = chosen === beside;
  }
  await context.globalState.update(openNextKey, config.toString());
  await commands.executeCommand("vscode.openFolder", folder, { forceNewWindow });
}

/** Shows the config of a demo whose folder has just been opened in this window. */
export async function openAwaited(context: ExtensionContext): Promise<void> {
  const awaited = context.globalState.get<string>(openNextKey);
  if (!awaited) return;
  const config = Uri.parse(awaited, true);
  if (!workspace.getWorkspaceFolder(config)) return;
  await context.globalState.update(openNextKey, undefined);
  await window.showTextDocument(config, { preview: false });
}
