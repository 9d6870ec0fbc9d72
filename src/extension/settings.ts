import { type Disposable, type ExtensionContext, workspace } from "vscode";
import { knowSecrets } from "../engine/base/redact.ts";
import type { ServerSettings } from "../protocol/server.ts";
import type { Client } from "./client.ts";
import { chosenInterpreter, onPythonExtensionChange } from "./interpreter.ts";
import { isTeacherKey, teacherKeys } from "./keys.ts";
import { log } from "./log.ts";

/** Tells the server the settings and the key after every start, and whenever they change. */
export function followSettings(context: ExtensionContext, client: Client): Disposable[] {
  const send = async () => client.notify("leaf/settings", await currentSettings());
  const sendSecrets = async () => {
    const keys = await teacherKeys(context.secrets);
    knowSecrets(Object.values(keys));
    client.notify("leaf/secrets", { teacherKeys: keys });
  };
  const safely = (work: () => Promise<void>) => () =>
    void work().catch((error) => log().error(`Settings could not be read: ${String(error)}`));
  return [
    client.onReady(safely(send)),
    client.onReady(safely(sendSecrets)),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("leaf") || change.affectsConfiguration("http")) safely(send)();
    }),
    context.secrets.onDidChange(({ key }) => {
      if (isTeacherKey(key)) safely(sendSecrets)();
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
    allowedKeyVariables: settings.get<string[]>("teacher.allowedKeyVariables", []),
    allowLinkLocal: settings.get("teacher.allowLinkLocal", false),
    cluster: clusterSetting(),
    ...proxySettings(),
  };
}

function clusterSetting(): ServerSettings["cluster"] {
  const settings = workspace.getConfiguration("leaf.cluster");
  const address = settings.get("address", "").trim();
  if (!address) return null;
  return { address: address === "local" ? null : address, workerGpus: settings.get("workerGpus", 0) };
}

/** The editor's own proxy; one that the environment names needs no word here. */
function proxySettings(): Pick<ServerSettings, "proxy" | "noProxy"> {
  const http = workspace.getConfiguration("http");
  if (http.get("proxySupport") === "off") return { proxy: null, noProxy: [] };
  return { proxy: http.get("proxy", "").trim() || null, noProxy: http.get<string[]>("noProxy", []) };
}

/** A switch of the user's, such as `hover.enabled`. */
export function isOn(name: string): boolean {
  return workspace.getConfiguration("leaf").get(name, true);
}
