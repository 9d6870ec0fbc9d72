import { type Disposable, type ExtensionContext, l10n, type TextDocument, workspace } from "vscode";
import { speakFigures } from "../words/figure.ts";
import { type Client, configPattern, createClient } from "./client.ts";
import { register, registerCommands } from "./commands/all.ts";
import { openAwaited } from "./commands/demo.ts";
import { dryRunDocuments } from "./commands/dryRun.ts";
import { runCommands } from "./commands/runs.ts";
import { csvScores } from "./images/csvScores.ts";
import { decorations } from "./images/decorations.ts";
import { hover } from "./images/hover.ts";
import { tellJobFailures } from "./jobs/failures.ts";
import type { Leaf } from "./leaf.ts";
import { disposeLog, log } from "./log.ts";
import { createPanel } from "./panel/panel.ts";
import { runConfigs } from "./projects/runConfigs.ts";
import { createState } from "./projects/state.ts";
import { statusBar } from "./projects/statusBar.ts";
import { followSettings } from "./settings.ts";
import { imagesTree } from "./views/imagesTree.ts";
import { pipelineTree } from "./views/pipelineTree.ts";
import { runsTree } from "./views/runsTree.ts";

let client: Client | undefined;

/** Registers the features; the server starts when there is a config, or when something is asked of it. */
export function activate(context: ExtensionContext): void {
  speakFigures(l10n.t);
  client = createClient(context);
  const state = createState(client, context.workspaceState);
  const panel = createPanel(context, client, state);
  const leaf: Leaf = { context, client, state, panel };
  const configs = runConfigs(client);
  const runs = runsTree(leaf);
  context.subscriptions.push(
    client,
    state,
    ...panel.disposables,
    ...configs.disposables,
    ...runs.disposables,
    ...dryRunDocuments(),
    ...followSettings(context, client),
    ...registerCommands(leaf),
    ...register(runCommands(leaf, configs, runs.refresh)),
    ...pipelineTree(leaf),
    ...imagesTree(leaf),
    ...statusBar(leaf),
    ...decorations(leaf),
    ...hover(leaf),
    ...csvScores(leaf),
    ...tellJobFailures(leaf),
    ...startWithConfig(client),
    { dispose: disposeLog },
  );
  void openAwaited(context);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** Starts the server as soon as there is a config: found in the workspace, made, or opened. */
function startWithConfig(server: Client): Disposable[] {
  const start = () => void server.start().catch((error) => log().error(String(error)));
  const isConfig = ({ uri }: TextDocument) => uri.scheme === "file" && /(?:^|[/.])leaf\.yaml$/.test(uri.path);
  // The editor's own search looks, not this process.
  void workspace.findFiles(configPattern, "**/{node_modules,.git,.leaf}/**", 1).then((found) => {
    if (found.length > 0) start();
  });
  if (workspace.textDocuments.some(isConfig)) start();
  const watcher = workspace.createFileSystemWatcher(configPattern, false, true, true);
  return [
    watcher,
    watcher.onDidCreate(start),
    workspace.onDidOpenTextDocument((document) => {
      if (isConfig(document)) start();
    }),
  ];
}
