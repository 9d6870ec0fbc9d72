import { commands, env, l10n, UIKind, Uri, window, workspace } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import type { runConfigs } from "../projects/runConfigs.ts";
import { viewCommandIds } from "../viewCommands.ts";
import type { RunNode } from "../views/runsTree.ts";

/** What the Runs view does with runs. */
export function runCommands(
  { client }: Leaf,
  { diff, restore }: ReturnType<typeof runConfigs>,
  refresh: () => void,
): Handlers {
  const pin = async (node: unknown, pinned: boolean) => {
    const one = asRun(node);
    if (!one) return;
    await client.request("leaf/pinRun", { config: one.config, run: one.id, pinned });
    refresh();
  };
  return {
    [viewCommandIds.pinRun]: (node) => pin(node, true),
    [viewCommandIds.unpinRun]: (node) => pin(node, false),
    [viewCommandIds.refreshRuns]: () => refresh(),
    async [viewCommandIds.compareSelectedRuns](node, nodes) {
      const runs = asRuns(node, nodes);
      const [first] = runs;
      if (!first) return;
      // One alone is compared with others that are asked for.
      const ids = runs.filter(({ config }) => config === first.config).map(({ id }) => id);
      await commands.executeCommand(commandIds.compareRuns, first.config, ...(ids.length > 1 ? [ids] : []));
    },
    async [viewCommandIds.diffRunConfig](node) {
      const one = asRun(node);
      if (one) await diff(one.config, one.id);
    },
    async [viewCommandIds.restoreRunConfig](node) {
      const one = asRun(node);
      if (one) await restore(one.config, one.id);
    },
    async [viewCommandIds.revealRun](node) {
      const one = asRun(node);
      if (!one) return;
      const { folder } = await client.request("leaf/runFolder", { config: one.config, run: one.id });
      // In a browser, and for another machine's files, there is no file manager to show them.
      const here = env.uiKind === UIKind.Desktop && env.remoteName === undefined;
      await commands.executeCommand(here ? "revealFileInOS" : "revealInExplorer", Uri.parse(folder, true));
    },
    async [viewCommandIds.deleteRun](node, nodes) {
      const runs = asRuns(node, nodes);
      if (runs.length === 0 || !(await confirmed(runs.map(({ id }) => id)))) return;
      for (const { config, id } of runs) {
        const { folder } = await client.request("leaf/runFolder", { config, run: id });
        await moveToTrash(Uri.parse(folder, true));
      }
      refresh();
    },
  };
}

async function confirmed(ids: string[]): Promise<boolean> {
  const move = l10n.t("Move to Trash");
  const chosen = await window.showWarningMessage(
    ids.length === 1 ? l10n.t("Delete run {0}?", ids[0] ?? "") : l10n.t("Delete {0} runs?", ids.length),
    { modal: true, detail: l10n.t("Students and labels that other runs stand on are kept.") },
    move,
  );
  return chosen === move;
}

/** Some machines (a remote host without a desktop) have no trash. */
async function moveToTrash(uri: Uri): Promise<void> {
  try {
    await workspace.fs.delete(uri, { recursive: true, useTrash: true });
  } catch {
    const forever = l10n.t("Delete Permanently");
    const chosen = await window.showWarningMessage(
      l10n.t("This machine has no trash. Delete the run's folder permanently?"),
      { modal: true },
      forever,
    );
    if (chosen === forever) await workspace.fs.delete(uri, { recursive: true });
  }
}

function asRun(node: unknown): { config: string; id: string } | undefined {
  const { config, run } = (node ?? {}) as Partial<RunNode>;
  return config && run ? { config, id: run.id } : undefined;
}

/** The node under the pointer, or all that are selected. */
function asRuns(node: unknown, nodes: unknown): { config: string; id: string }[] {
  const all: unknown[] = Array.isArray(nodes) && nodes.length > 0 ? nodes : [node];
  return all.flatMap((one) => asRun(one) ?? []);
}
