import { type Disposable, type ExtensionContext, workspace } from "vscode";
import type { ServerSettings } from "../protocol/server.ts";
import type { Client } from "./client.ts";
import { chosenInterpreter, onPythonExtensionChange } from "./interpreter.ts";
import { log } from "./log.ts";

/** Where the teacher's API key lies in the editor's secret storage. */
export const teacherKeySecret = "leaf.teacherKey";

/** Tells the server the settings and the key after every start, and whenever they change. */
export function followSettings(context: ExtensionContext, client: Client): Disposable[] {
  const send = async () => client.notify("leaf/settings", await currentSettings());
  const sendSecrets = async () =>
    client.notify("leaf/secrets", { teacherKey: (await context.secrets.get(teacherKeySecret)) ?? null });
  const safely = (work: () => Promise<void>) => () =>
    void work().catch((error) => log().error(`Settings could not be read: ${String(error)}`));
  return [
    client.onReady(safely(send)),
    client.onReady(safely(sendSecrets)),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("leaf")) safely(send)();
    }),
    context.secrets.onDidChange(({ key }) => {
      if (key === teacherKeySecret) safely(sendSecrets)();
    }),
    onPythonExtensionChange(safely(send)),
  ];
}

async function currentSettings(): Promise<ServerSettings> {
  const settings = workspace.getConfiguration("leaf");
  return {
    scoreNewImages: settings.get("scoreNewImages", true),
    onClose: settings.get<ServerSettings["onClose"]>("jobs.onClose", "continue"),
    usePolling: settings.get("watcher.usePolling", false),
    pythonInterpreter: await chosenInterpreter(),
  };
}

/** A switch of the user's, such as `hover.enabled`. */
export function isOn(name: string): boolean {
  return workspace.getConfiguration("leaf").get(name, true);
}
