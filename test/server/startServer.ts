import { fork } from "node:child_process";
import path from "node:path";
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
} from "vscode-languageserver/node";
import type { ServerStart } from "../../src/protocol/server.ts";
import { uriOf } from "../../src/server/uris.ts";

/** Starts the built server over its real IPC connection, as the editor does; listeners go in before it is initialized. */
export async function startServer(
  folder: string,
  listen: (connection: MessageConnection) => void,
  env: NodeJS.ProcessEnv = process.env,
  start: ServerStart = {},
): Promise<{ connection: MessageConnection; stop(): Promise<void> }> {
  const server = fork(path.resolve("dist/server.js"), ["--node-ipc"], { execArgv: [], silent: true, env });
  const connection = createMessageConnection(new IPCMessageReader(server), new IPCMessageWriter(server));
  connection.onRequest("client/registerCapability", () => null);
  connection.onRequest("window/workDoneProgress/create", () => null);
  connection.onRequest("workspace/codeLens/refresh", () => null);
  listen(connection);
  connection.listen();
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: { workspace: { workspaceFolders: true } },
    initializationOptions: start,
    workspaceFolders: [{ uri: uriOf(folder), name: "test" }],
  });
  await connection.sendNotification("initialized", {});
  return {
    connection,
    async stop() {
      await connection.sendRequest("shutdown");
      await connection.sendNotification("exit");
    },
  };
}

/** Conditions that become true by what the server tells: call `look` after each message. */
export function conditions() {
  const waiting: { is: () => boolean; resolve: () => void }[] = [];
  return {
    until(is: () => boolean): Promise<void> {
      return is() ? Promise.resolve() : new Promise((resolve) => waiting.push({ is, resolve }));
    },
    look() {
      for (const one of waiting) if (one.is()) one.resolve();
    },
  };
}
