import { l10n, Uri, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { JobKind } from "../../protocol/jobs.ts";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import { consented } from "../consent.ts";
import { showJobNotification } from "../jobs/notification.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { configOfTarget } from "../projects/choice.ts";
import { isRunning } from "../projects/contextKeys.ts";
import { pickProject } from "../projects/picker.ts";
import { viewCommandIds } from "../viewCommands.ts";

/** Starting and stopping stages. Started from the palette, progress is a notification; elsewhere it is where it was started. */
export function stageCommands(leaf: Leaf): Handlers {
  return {
    [commandIds.run]: (target) => start(leaf, "run", target),
    // The view shows its progress itself.
    [viewCommandIds.runFromView]: () => start(leaf, "run", undefined, { quiet: true }),
    [commandIds.label]: (target) => start(leaf, "label", target),
    [commandIds.labelOnCluster]: (target) => start(leaf, "label", target, { onCluster: true }),
    [commandIds.distill]: (target) => start(leaf, "distill", target),
    [commandIds.calibrate]: (target) => start(leaf, "calibrate", target),
    [commandIds.evaluate]: (target) => start(leaf, "evaluate", target),
    [commandIds.stop]: (target) => stop(leaf, target),
    [commandIds.showFailures]: (target, stage) => showFailures(leaf, target, stage),
  };
}

/** Starts a job; unsaved changes of the config count, so they are saved before. */
async function start(
  leaf: Leaf,
  kind: JobKind,
  target: unknown,
  { quiet = false, onCluster = false } = {},
): Promise<void> {
  const config = await pickProject(leaf.state, target, (one) => !isRunning(one));
  if (!config) return;
  await saveConfig(config);
  if (!(await consented(leaf, { config, work: kind }))) return;
  const job = await leaf.client.request("leaf/start", { config, kind, ...(onCluster && { onCluster }) });
  if (!quiet && configOfTarget(target) === null) showJobNotification(leaf, job);
}

/** Unsaved changes count. */
export async function saveConfig(config: string): Promise<void> {
  const editor = window.visibleTextEditors.find(({ document }) => document.uri.toString() === config);
  if (editor?.document.isDirty) await editor.document.save();
}

/** Opens the list of what a stage left out; without its name, of the first that left something out. */
async function showFailures({ state }: Leaf, target: unknown, stage: unknown): Promise<void> {
  const listed = (one: ProjectSnapshot) =>
    one.stages.find((it) => it.failures?.list && (typeof stage !== "string" || it.stage === stage));
  const config = await pickProject(state, target, (one) => listed(one) !== undefined);
  const list = config && listed(state.project(config)!)?.failures?.list;
  if (list) await window.showTextDocument(Uri.parse(list, true));
  else void window.showInformationMessage(l10n.t("Nothing failed."));
}

async function stop({ client, state }: Leaf, target: unknown): Promise<void> {
  const running = state.projects().filter(isRunning);
  if (configOfTarget(target) === null && running.length === 0) {
    void window.showInformationMessage(l10n.t("Nothing is running."));
    return;
  }
  const config = await pickProject(state, target, isRunning);
  if (config) await client.request("leaf/stop", { config });
}
