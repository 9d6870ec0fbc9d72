import { commands, env, l10n, Uri, ViewColumn, window, workspace } from "vscode";
import type { HostRequests } from "../../protocol/panel.ts";
import type { Client } from "../client.ts";
import { isInside, panelCommand } from "./gate.ts";

type HostMethod = keyof HostRequests;

/** What only the editor can do for the panel. Throws for what the panel may not ask. */
export async function answerHostRequest(
  client: Client,
  method: HostMethod,
  params: unknown,
): Promise<unknown> {
  switch (method) {
    case "host/command":
      return runCommand(params as HostRequests["host/command"]["params"]);
    case "host/openFile": {
      const { uri, beside } = params as HostRequests["host/openFile"]["params"];
      await commands.executeCommand("vscode.open", ownUri(uri), beside ? ViewColumn.Beside : undefined);
      return null;
    }
    case "host/reveal": {
      const { uri } = params as HostRequests["host/reveal"]["params"];
      await commands.executeCommand("revealInExplorer", ownUri(uri));
      return null;
    }
    case "host/copy": {
      const { text } = params as HostRequests["host/copy"]["params"];
      await env.clipboard.writeText(text);
      return null;
    }
    case "host/save":
      return save(client, params as HostRequests["host/save"]["params"]);
  }
}

async function runCommand(params: HostRequests["host/command"]["params"]): Promise<null> {
  const known = panelCommand(params);
  if (!known) throw new Error(l10n.t("The panel may not run {0}.", String(params.command)));
  await commands.executeCommand(known.command, ...known.args);
  return null;
}

function ownUri(text: string): Uri {
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString());
  const uri = Uri.parse(text, true);
  if (!isInside(uri.toString(), folders)) throw new Error(l10n.t("This file is outside the workspace."));
  return uri;
}

async function save(
  client: Client,
  { name, text }: HostRequests["host/save"]["params"],
): Promise<{ saved: boolean }> {
  // Only a name: where it goes is the user's choice.
  const plain = name.replace(/[\\/:*?"<>|]/g, "-");
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const uri = await window.showSaveDialog({ defaultUri: folder && Uri.joinPath(folder, plain) });
  if (!uri) return { saved: false };
  const { what } = await client.request("leaf/inputAt", { uri: uri.toString() });
  if (what !== null) throw new Error(l10n.t("LEAF reads this file ({0}) and does not write over it.", what));
  await workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  return { saved: true };
}
