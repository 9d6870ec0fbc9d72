import { commands, l10n, Uri, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { FailureSummary } from "../../protocol/failures.ts";
import { kept } from "../../words/kept.ts";
import { render } from "../../words/text.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickProject } from "../projects/picker.ts";

type What = "labels" | "scores" | "student";

export function exportCommands(leaf: Leaf): Handlers {
  return {
    [commandIds.exportStudent]: (target) => exportTo(leaf, "student", target),
    [commandIds.exportLabels]: (target) => exportTo(leaf, "labels", target),
    [commandIds.exportScores]: (target) => exportTo(leaf, "scores", target),
  };
}

/** Labels and the student are folders of files, scores are one CSV. */
async function exportTo({ client, state }: Leaf, what: What, target: unknown): Promise<void> {
  const config = await pickProject(
    state,
    target,
    (one) => what !== "student" || one.scorer?.kind === "student",
  );
  if (!config) return;
  const folder = Uri.joinPath(Uri.parse(config, true), "..");
  const out = await window.showSaveDialog({
    title: titles()[what],
    saveLabel: l10n.t("Export"),
    defaultUri: Uri.joinPath(folder, what === "scores" ? "scores.csv" : what),
    filters: what === "scores" ? { CSV: ["csv"] } : undefined,
  });
  if (!out) return;
  const { files, failures } = await window.withProgress(
    { location: { viewId: "leaf.pipeline" }, title: titles()[what] },
    // For one file the dialog has asked already; of the files in a folder it knows nothing.
    () => client.request("leaf/export", { config, what, out: out.toString(), force: what === "scores" }),
  );
  const reveal = l10n.t("Reveal");
  const wrote = l10n.t("Wrote {0}.", files.map((file) => file.split(/[\\/]/).at(-1)).join(", "));
  const chosen = failures
    ? await window.showWarningMessage(`${wrote} ${withoutScore(failures)}`, reveal)
    : await window.showInformationMessage(wrote, reveal);
  if (chosen === reveal) await commands.executeCommand("revealInExplorer", out);
}

/** How many, and the first of them. */
function withoutScore({ total, first }: FailureSummary): string {
  const [one] = first;
  return l10n.t(
    "{0} images have no score; the first is {1}: {2}.",
    total,
    one?.file ?? "",
    render(kept(one?.reason ?? ""), l10n.t),
  );
}

function titles(): Record<What, string> {
  return {
    student: l10n.t("Folder for the student"),
    labels: l10n.t("Folder for the labels"),
    scores: l10n.t("File for the scores"),
  };
}
