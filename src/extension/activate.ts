import { commands, type ExtensionContext, window } from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

/** Starts the language server beside the editor; the features of the editor come with it. */
export async function activate(context: ExtensionContext): Promise<void> {
  const module = context.asAbsolutePath("dist/server.js");
  client = new LanguageClient(
    "leaf",
    "LEAF",
    {
      run: { module, transport: TransportKind.ipc },
      debug: { module, transport: TransportKind.ipc, options: { execArgv: ["--nolazy", "--inspect=6019"] } },
    },
    {
      documentSelector: [{ language: "yaml", pattern: "**/{leaf,*.leaf}.yaml" }],
      outputChannel: window.createOutputChannel("LEAF", { log: true }),
    },
  );
  context.subscriptions.push(commands.registerCommand("leaf.restartServer", () => client?.restart()));
  await client.start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
