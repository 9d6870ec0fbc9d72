import type { ExtensionContext } from "vscode";
import type { Client } from "./client.ts";
import type { Panel } from "./panel/panel.ts";
import type { State } from "./projects/state.ts";

/** What features share. */
export interface Leaf {
  context: ExtensionContext;
  client: Client;
  state: State;
  panel: Panel;
}

/** Handlers by command id; what they throw is told to the user. */
export type Handlers = Record<string, (...args: unknown[]) => unknown>;
