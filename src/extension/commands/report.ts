import { commands, env, l10n, ProgressLocation, Uri, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickProject } from "../projects/picker.ts";
import { runOfTarget } from "../reportTarget.ts";

/** Writing a run's report as one HTML file. */
export function reportCommands({ client, state }: Leaf): Handlers {
  return {
    async [commandIds.writeReport](target, second) {
      const asked = runOfTarget(target, second);
      const config = await pickProject(state, target, ({ stages }) => stages.some(({ run }) => run !== null));
      if (!config) return;
      const out = await window.showSaveDialog({
        title: asked ? l10n.t("File for the report of {0}", asked) : l10n.t("File for the report"),
        saveLabel: l10n.t("Write"),
        defaultUri: Uri.joinPath(Uri.parse(config, true), "..", "report.html"),
        filters: { HTML: ["html"] },
      });
      if (!out) return;
      const { run } = await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t("Writing the report"), cancellable: true },
        // The dialog has asked whether to write over a file.
        (_, token) =>
          client.request("leaf/report", { config, run: asked, out: out.toString(), force: true }, token),
      );
      const open = l10n.t("Open");
      const reveal = l10n.t("Reveal");
      const chosen = await window.showInformationMessage(
        l10n.t("Wrote the report of {0}.", run),
        open,
        reveal,
      );
      if (chosen === open) await show(out);
      if (chosen === reveal) await commands.executeCommand("revealInExplorer", out);
    },
  };
}

/** In the browser; where the file lies on another machine, which the browser does not reach, in an editor. */
async function show(file: Uri): Promise<void> {
  const opened = env.remoteName === undefined && (await env.openExternal(file));
  if (!opened) await commands.executeCommand("vscode.open", file);
}
