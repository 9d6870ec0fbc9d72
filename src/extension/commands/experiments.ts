import { commands, l10n, Uri, ViewColumn, window, workspace } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import { consented } from "../consent.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickProject } from "../projects/picker.ts";

const scheme = "leaf-experiment";

/** Running experiments, looking at their tables, and new ones from those that ship with LEAF. */
export function experimentCommands(leaf: Leaf): Handlers {
  const { client, state } = leaf;
  const provider = workspace.registerTextDocumentContentProvider(scheme, {
    async provideTextDocumentContent(uri) {
      const experiment = uri.query;
      const { name, markdown, stale } = await client.request("leaf/experiment", { experiment });
      const old = stale ? `${l10n.t("The experiment has changed since this table.")}\n\n` : "";
      return `# ${name}\n\n${old}${markdown ?? l10n.t("It has not been run yet.")}\n`;
    },
  });
  void provider; // Lives as long as the window.

  /** The experiment of a lens, of the explorer, or of the editor in front. */
  function target(given: unknown): string | undefined {
    if (typeof given === "string") return given;
    if (given instanceof Uri) return given.toString();
    const open = window.activeTextEditor?.document.uri;
    return open && /\.experiment\.yaml$/.test(open.path) ? open.toString() : undefined;
  }

  async function withTarget(given: unknown, work: (experiment: string) => Promise<unknown>): Promise<void> {
    const experiment = target(given);
    if (experiment) await work(experiment);
    else
      void window.showInformationMessage(
        l10n.t("Open an experiment first: a file that ends in .experiment.yaml."),
      );
  }

  return {
    [commandIds.runExperiment]: (given) =>
      withTarget(given, async (experiment) => {
        const document = workspace.textDocuments.find(({ uri }) => uri.toString() === experiment);
        if (document?.isDirty) await document.save();
        if (await consented(leaf, { experiment }))
          await client.request("leaf/startExperiment", { experiment });
      }),
    [commandIds.showExperiment]: (given) =>
      withTarget(given, async (experiment) => {
        const name = Uri.parse(experiment)
          .path.split("/")
          .at(-1)!
          .replace(/\.yaml$/, ".md");
        // A path of its own each time: the preview asks anew.
        const uri = Uri.from({ scheme, path: `/${Date.now()}/${name}`, query: experiment });
        await commands.executeCommand(
          "vscode.openWith",
          uri,
          "vscode.markdown.preview.editor",
          ViewColumn.Beside,
        );
      }),
    [commandIds.newExperiment]: async (given) => {
      const config = await pickProject(state, given, () => true);
      if (!config) return;
      const presets = await client.request("leaf/experimentPresets", {});
      const preset = await window.showQuickPick(presets, {
        title: l10n.t("Which experiment to start from?"),
      });
      if (!preset) return;
      const { experiment } = await client.request("leaf/newExperiment", { config, preset });
      await window.showTextDocument(Uri.parse(experiment));
    },
  };
}
