import { commands, type Disposable, l10n, ProgressLocation, Uri, window, workspace } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import { consented } from "../consent.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickProject } from "../projects/picker.ts";
import { saveConfig } from "./stages.ts";

const scheme = "leaf-dry-run";
const images = 3;
const shown = new Map<string, string>();

/** The prompt, the tokens and the label of some images as a document beside the config; nothing is stored. */
export function dryRunCommands(leaf: Leaf): Handlers {
  return { [commandIds.dryRun]: (target, member) => dryRun(leaf, target, member) };
}

export function dryRunDocuments(): Disposable[] {
  return [
    workspace.registerTextDocumentContentProvider(scheme, {
      provideTextDocumentContent: ({ path }) => shown.get(path) ?? "",
    }),
    workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === scheme) shown.delete(uri.path);
    }),
  ];
}

/** `given`: which teacher of an ensemble, the first being 1. */
async function dryRun(leaf: Leaf, target: unknown, given: unknown): Promise<void> {
  const { client, state } = leaf;
  const config = await pickProject(state, target);
  if (!config) return;
  await saveConfig(config);
  if (!(await consented(leaf, { config, work: "dryRun" }))) return;
  const member = typeof given === "number" ? given : undefined;
  const { markdown } = await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: l10n.t("Dry run: asking the teacher about {0} images", images),
      cancellable: true,
    },
    (_, token) => client.request("leaf/dryRun", { config, images, member }, token),
  );
  const uri = Uri.from({ scheme, path: `/${new Date().toISOString()}/${l10n.t("Dry run")}.md` });
  shown.set(uri.path, markdown);
  await commands.executeCommand("markdown.showPreviewToSide", uri);
}
