import { type LogOutputChannel, window } from "vscode";

import { redacted } from "./redactedChannel.ts";

let channel: LogOutputChannel | undefined;

/** The output channel "LEAF": the server's log and ours. Made when something is first written or shown. */
export function log(): LogOutputChannel {
  channel ??= redacted(window.createOutputChannel("LEAF", { log: true }));
  return channel;
}

export function disposeLog(): void {
  channel?.dispose();
  channel = undefined;
}
