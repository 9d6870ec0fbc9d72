import { createConnection, ProposedFeatures, TextDocumentSyncKind } from "vscode-languageserver/node";
import { version } from "../engine/version.ts";

// The language server: the one backend of a workspace. Only the handshake so far; the engine is used by the command line.
const connection = createConnection(ProposedFeatures.all);

connection.onInitialize(() => ({
  capabilities: { textDocumentSync: TextDocumentSyncKind.Incremental },
  serverInfo: { name: "leaf", version },
}));

connection.listen();
