import { ConfigurationTarget, l10n, type QuickPickItem, QuickPickItemKind, window, workspace } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import { fromPythonExtension, pythonExtensionInterpreter } from "../interpreter.ts";
import { showJobNotification } from "../jobs/notification.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickProject } from "../projects/picker.ts";

/** The Python that trains: choosing one, or having one made. */
export function environmentCommands(leaf: Leaf): Handlers {
  return {
    [commandIds.setUpEnvironment]: (target) => setUp(leaf, target),
    [commandIds.selectInterpreter]: () => selectInterpreter(leaf),
  };
}

/** Nothing is installed without a question that says how large it is. */
async function setUp(leaf: Leaf, target: unknown): Promise<void> {
  const config = await pickProject(leaf.state, target);
  if (!config) return;
  const { ready, summary, download } = await leaf.client.request("leaf/environment", { config });
  if (ready) {
    const select = l10n.t("Select Another Interpreter");
    const chosen = await window.showInformationMessage(l10n.t("Training is set up: {0}.", summary), select);
    if (chosen === select) await selectInterpreter(leaf);
    return;
  }
  const setUpTitle = l10n.t("Set Up");
  const select = l10n.t("Select an Interpreter Instead");
  const chosen = await window.showInformationMessage(
    l10n.t("Set up a Python environment with PyTorch to train students?"),
    { modal: true, detail: l10n.t("It is kept apart from your own Python. It takes {0}.", download) },
    setUpTitle,
    select,
  );
  if (chosen === select) await selectInterpreter(leaf);
  if (chosen !== setUpTitle) return;
  showJobNotification(leaf, await leaf.client.request("leaf/start", { config, kind: "env" }));
}

async function selectInterpreter(leaf: Leaf): Promise<void> {
  const settings = workspace.getConfiguration("leaf");
  const current = settings.get("python.interpreter", "");
  const ofExtension = await pythonExtensionInterpreter().catch(() => null);
  const items: (QuickPickItem & { value?: string; browse?: boolean })[] = [
    {
      label: l10n.t("Managed by LEAF"),
      description: current === "" ? l10n.t("chosen") : undefined,
      detail: l10n.t("An environment that LEAF sets up for training, or the one that the config names."),
      value: "",
    },
  ];
  if (ofExtension) {
    items.push({
      label: l10n.t("As in the Python extension"),
      description: current === fromPythonExtension ? l10n.t("chosen") : undefined,
      detail: ofExtension,
      value: fromPythonExtension,
    });
  }
  if (current && current !== fromPythonExtension)
    items.push({ label: current, description: l10n.t("chosen"), value: current });
  items.push(
    { label: "", kind: QuickPickItemKind.Separator },
    { label: l10n.t("$(folder-opened) Another interpreter …"), browse: true },
  );
  const picked = await window.showQuickPick(items, {
    title: l10n.t("Python interpreter for training"),
    matchOnDetail: true,
  });
  if (!picked) return;
  const value = picked.browse ? await browse() : picked.value;
  if (value === undefined || value === current) return;
  // A setting of the machine: no folder chooses what runs.
  await settings.update("python.interpreter", value || undefined, ConfigurationTarget.Global);
  await sayWhatItIs(leaf);
}

async function browse(): Promise<string | undefined> {
  const chosen = await window.showOpenDialog({
    title: l10n.t("Python interpreter for training"),
    openLabel: l10n.t("Select Interpreter"),
    canSelectMany: false,
  });
  return chosen?.[0]?.fsPath;
}

/** An interpreter without PyTorch is told now, not when a night's training fails. */
async function sayWhatItIs({ client, state }: Leaf): Promise<void> {
  const config = state.projects()[0]?.config;
  const { ready, summary } = await client.request("leaf/environment", { config });
  if (ready) void window.setStatusBarMessage(summary, 6_000);
  else void window.showWarningMessage(l10n.t("This interpreter cannot train: {0}", summary));
}
