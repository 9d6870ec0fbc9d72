import { l10n, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import { type PanelTab, panelTabs } from "../../protocol/panel.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { changeRater } from "../panel/rater.ts";
import { configOfTarget } from "../projects/choice.ts";
import { pickProject } from "../projects/picker.ts";
import { runPick } from "../runWords.ts";

/** Commands that open the IQA panel somewhere. */
export function panelCommands(leaf: Leaf): Handlers {
  const { client, panel, state } = leaf;
  return {
    async [commandIds.openPanel](target?: unknown, tab?: unknown, focus?: unknown) {
      const config = await pickProject(state, target);
      if (config) await panel.show(config, asTab(tab), asFocus(focus));
    },
    async [commandIds.reviewPairs](target?: unknown) {
      const config = await pickProject(state, target);
      if (config) await panel.show(config, "pairs");
    },
    async [commandIds.rateImages](target?: unknown) {
      const config = await pickProject(state, target);
      if (config) await panel.show(config, "rate");
    },
    [commandIds.changeRater]: changeRater,
    async [commandIds.compareRuns](target?: unknown, given?: unknown) {
      const config = await pickProject(state, configOfTarget(target) ?? undefined);
      if (!config) return;
      const runs = asRuns(given) ?? (await pickRuns(config));
      if (runs) await panel.show(config, "runs", { runs });
    },
  };

  async function pickRuns(config: string): Promise<string[] | undefined> {
    const runs = await client.request("leaf/runs", { config });
    if (runs.length < 2) {
      void window.showInformationMessage(
        l10n.t("There are not two runs to compare yet: change something in the config and run it again."),
      );
      return undefined;
    }
    const now = Date.now();
    const items = runs.map((run, at) => ({ ...runPick(run, now, l10n.t), picked: at < 2, run: run.id }));
    const picked = await window.showQuickPick(items, {
      canPickMany: true,
      matchOnDetail: true,
      placeHolder: l10n.t("Runs to compare: two or more"),
    });
    if (!picked) return undefined;
    if (picked.length < 2) {
      void window.showInformationMessage(l10n.t("Pick two runs or more to compare them."));
      return undefined;
    }
    return picked.map(({ run }) => run);
  }
}

function asTab(value: unknown): PanelTab | undefined {
  return panelTabs.find((one) => one === value);
}

function asFocus(value: unknown): { hash?: string; runs?: string[] } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const hash = "hash" in value && typeof value.hash === "string" ? value.hash : undefined;
  const runs = "runs" in value ? asRuns(value.runs) : undefined;
  return hash || runs ? { hash, runs } : undefined;
}

/** Ids of runs; a menu of a tree gives its nodes here, which are none. */
function asRuns(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const runs = value.filter((one): one is string => typeof one === "string");
  return runs.length > 0 ? runs : undefined;
}
