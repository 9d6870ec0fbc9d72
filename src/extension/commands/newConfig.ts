import { l10n, Uri, window, workspace } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickFrom } from "../projects/picker.ts";
import { exists } from "../workspaceFiles.ts";

export function newConfigCommands({ client, state }: Leaf): Handlers {
  return {
    async [commandIds.newConfig](target?: unknown) {
      const folder = await folderFor(target);
      if (!folder) return;
      const file = Uri.joinPath(folder, "leaf.yaml");
      if (await exists(file)) {
        await window.showTextDocument(file);
        return;
      }
      const { config } = await client.request("leaf/newConfig", { folder: folder.toString() });
      await window.showTextDocument(Uri.parse(config, true));
    },
    async [commandIds.switchConfig]() {
      await pickFrom(state, state.projects().length > 0 ? state.projects() : await state.refresh());
    },
  };
}

/** The folder of the Explorer's menu, the only one, or one that is asked for. */
async function folderFor(target: unknown): Promise<Uri | undefined> {
  if (target instanceof Uri) return target;
  if (typeof target === "string") return Uri.parse(target, true);
  const folders = workspace.workspaceFolders ?? [];
  if (folders.length === 1) return folders[0]?.uri;
  if (folders.length > 1) {
    const picked = await window.showWorkspaceFolderPick({
      placeHolder: l10n.t("Which folder holds the images?"),
    });
    return picked?.uri;
  }
  const [chosen] =
    (await window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      title: l10n.t("Folder that holds the images"),
      openLabel: l10n.t("Create leaf.yaml Here"),
    })) ?? [];
  return chosen;
}
