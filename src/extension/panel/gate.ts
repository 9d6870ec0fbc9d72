import { type CommandId, commandIds } from "../../protocol/commands.ts";
import {
  type HostRequests,
  type PanelMethod,
  type PanelState,
  type PanelToHost,
  panelMethods,
  panelTabs,
} from "../../protocol/panel.ts";

/** What the page may ask the host itself for. */
export const hostMethods = [
  "host/command",
  "host/openFile",
  "host/reveal",
  "host/copy",
  "host/save",
] as const satisfies readonly (keyof HostRequests)[];

/** Lets a message of the page through only if it is one of the known ones; everything else is null. */
export function panelMessage(value: unknown): PanelToHost | null {
  if (typeof value !== "object" || value === null || !("type" in value)) return null;
  if (value.type === "ready") return { type: "ready" };
  if (value.type === "state" && "state" in value) {
    const state = panelState(value.state);
    return state && { type: "state", state };
  }
  if (value.type === "request" && "id" in value && "method" in value) {
    const { id, method } = value;
    const params = "params" in value ? value.params : {};
    if (typeof id === "number" && isPanelMethod(method)) return { type: "request", id, method, params };
  }
  return null;
}

export function isPanelMethod(method: unknown): method is PanelMethod {
  return [...panelMethods, ...hostMethods].some((one) => one === method);
}

export function isHostMethod(method: PanelMethod): method is keyof HostRequests {
  return hostMethods.some((one) => one === method);
}

/** A panel's state as it was kept over a reload; null if it is not one. */
export function panelState(value: unknown): PanelState | null {
  if (typeof value !== "object" || value === null || !("tab" in value)) return null;
  const tab = panelTabs.find((one) => one === value.tab);
  if (!tab) return null;
  const config = "config" in value && typeof value.config === "string" ? value.config : null;
  const tabs = "tabs" in value && typeof value.tabs === "object" ? (value.tabs as PanelState["tabs"]) : {};
  return { config, tab, tabs: tabs ?? {} };
}

/** Command and arguments that `host/command` stands for; null for any command that is not LEAF's. */
export function panelCommand(
  params: HostRequests["host/command"]["params"],
): { command: CommandId; args: unknown[] } | null {
  const command = Object.values(commandIds).find((one) => one === params.command);
  if (!command) return null;
  if (command === commandIds.score) return { command, args: [params.argument] };
  return { command, args: [params.config ?? undefined, params.argument] };
}

/** Whether a file lies in one of the folders, all as URIs in text. */
export function isInside(uri: string, folders: readonly string[]): boolean {
  if (/(?:^|\/)(?:\.|%2e){2}(?:\/|$)/i.test(uri)) return false;
  return folders.some((folder) => uri.startsWith(`${folder.replace(/\/$/, "")}/`));
}
