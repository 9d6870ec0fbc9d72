import { ConfigurationTarget, l10n, window, workspace } from "vscode";
import type { PanelMethod } from "../../protocol/panel.ts";

/** A rating with who gives it: the setting `leaf.rater`. Asked for once, with the first rating; no name is an answer too. */
export async function withRater(method: PanelMethod, params: unknown): Promise<unknown> {
  if (method === "leaf/ratingQueue") return { ...(params as object), rater: known() ?? "" };
  if (method === "leaf/rate") return { ...(params as object), rater: known() ?? (await asked()) };
  return params;
}

/** Ratings in quick succession ask once. */
let asking: Promise<string> | undefined;

function known(): string | undefined {
  const { globalValue, workspaceValue } = workspace.getConfiguration("leaf").inspect<string>("rater") ?? {};
  return workspaceValue ?? globalValue;
}

function asked(): Promise<string> {
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

async function ask(): Promise<string> {
  const name = await window.showInputBox({
    title: l10n.t("Who rates?"),
    prompt: l10n.t(
      "Your name is written beside each rating, so that those of several people can be told apart. Leave it empty if you rate alone.",
    ),
    ignoreFocusOut: true,
  });
  const answer = (name ?? "").trim();
  await workspace.getConfiguration("leaf").update("rater", answer, ConfigurationTarget.Global);
  return answer;
}
