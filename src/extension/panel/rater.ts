import { ConfigurationTarget, l10n, window, workspace } from "vscode";
import type { PanelMethod } from "../../protocol/panel.ts";
import type { Sitting } from "../../protocol/server.ts";

/** A rating with who gives it: the setting `leaf.rater`. Asked for once, with the first rating; no name is an answer too. */
export async function withRater(method: PanelMethod, params: unknown): Promise<unknown> {
  if (method !== "leaf/ratingQueue" && method !== "leaf/rate") return params;
  const rater = known() ?? (method === "leaf/rate" ? await asked() : "");
  const repeatEvery = workspace.getConfiguration("leaf").get<number>("repeatRatings");
  return { ...(params as object), rater, repeatEvery } satisfies Sitting;
}

/** Asks who rates from now on. */
export async function changeRater(): Promise<void> {
  await ask(known());
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

async function ask(before?: string): Promise<string> {
  const name = await window.showInputBox({
    title: l10n.t("Who rates?"),
    prompt: l10n.t(
      "Your name is written beside each rating, so that those of several people can be told apart. Leave it empty if you rate alone.",
    ),
    value: before,
    ignoreFocusOut: true,
  });
  if (name === undefined && before !== undefined) return before;
  const answer = (name ?? "").trim();
  // Where the workspace says it, a name for all of them would not count.
  const config = workspace.getConfiguration("leaf");
  const isOfWorkspace = config.inspect<string>("rater")?.workspaceValue !== undefined;
  await config.update(
    "rater",
    answer,
    isOfWorkspace ? ConfigurationTarget.Workspace : ConfigurationTarget.Global,
  );
  return answer;
}
