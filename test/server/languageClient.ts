import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import {
  type CodeAction,
  type CodeLens,
  CodeLensRefreshRequest,
  type CompletionItem,
  createConnection,
  createProtocolConnection,
  type Diagnostic,
  type DocumentLink,
  type DocumentSymbol,
  type FoldingRange,
  type Hover,
  type PublishDiagnosticsParams,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";
import type { ProjectSnapshot, RunSummary } from "../../src/protocol/project.ts";
import type { FactProblem } from "../../src/server/language/context.ts";
import { registerLanguage } from "../../src/server/language/register.ts";

/** What the server would know of the project; tests change it and tell. */
export interface World {
  snapshot?: ProjectSnapshot;
  facts: FactProblem[];
  runs: RunSummary[];
}

/** Client and server with a real LSP connection between them, over streams in memory, on a real folder. */
export async function startLanguage() {
  const folder = await mkdtemp(path.join(tmpdir(), "leaf-language-"));
  const [up, down] = [new PassThrough(), new PassThrough()];
  const server = createConnection(new StreamMessageReader(up), new StreamMessageWriter(down));
  const documents = new TextDocuments(TextDocument);
  const world: World = { facts: [], runs: [] };
  const listeners = new Set<(uri?: string) => void>();
  server.onInitialize(() => ({
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: [" ", ":", "/"] },
      hoverProvider: true,
      codeActionProvider: true,
      codeLensProvider: {},
      documentLinkProvider: {},
      documentSymbolProvider: true,
      foldingRangeProvider: true,
    },
  }));
  registerLanguage(server, documents, {
    snapshotOf: () => world.snapshot,
    factsOf: () => world.facts,
    runsOf: () => world.runs,
    onDidChange(listener) {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
  });
  documents.listen(server);
  server.listen();

  const client = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  const published: PublishDiagnosticsParams[] = [];
  const refreshes: number[] = [];
  const waiting = new Set<() => void>();
  client.onNotification("textDocument/publishDiagnostics", (params: PublishDiagnosticsParams) => {
    published.push(params);
    for (const wake of waiting) wake();
  });
  client.onRequest(CodeLensRefreshRequest.type, () => {
    refreshes.push(Date.now());
  });
  client.listen();
  await client.sendRequest("initialize", { processId: null, rootUri: null, capabilities: {} });
  await client.sendNotification("initialized", {});

  const uri = (name = "leaf.yaml") => URI.file(path.join(folder, name)).toString();
  const versions = new Map<string, number>();
  const about = (name?: string) => ({ textDocument: { uri: uri(name) } });

  /** Opens a document, or replaces the text of an open one. */
  async function write(text: string, name?: string): Promise<void> {
    const version = (versions.get(uri(name)) ?? 0) + 1;
    const isOpen = version > 1;
    versions.set(uri(name), version);
    await (isOpen
      ? client.sendNotification("textDocument/didChange", {
          textDocument: { uri: uri(name), version },
          contentChanges: [{ text }],
        })
      : client.sendNotification("textDocument/didOpen", {
          textDocument: { uri: uri(name), languageId: "yaml", version, text },
        }));
  }

  /** Writes the text without its `|`, and gives its place. */
  async function writeAtBar(text: string, name?: string) {
    const at = text.indexOf("|");
    const plain = text.slice(0, at) + text.slice(at + 1);
    await write(plain, name);
    return { text: plain, position: TextDocument.create("", "", 0, plain).positionAt(at) };
  }

  return {
    folder,
    world,
    published,
    refreshes,
    uri,
    write,
    client,
    tell: () => {
      for (const listener of listeners) listener();
    },
    async complete(text: string, name?: string): Promise<{ text: string; items: CompletionItem[] }> {
      const { text: plain, position } = await writeAtBar(text, name);
      const items = await client.sendRequest<CompletionItem[] | null>("textDocument/completion", {
        ...about(name),
        position,
      });
      return { text: plain, items: items ?? [] };
    },
    async hover(text: string, name?: string): Promise<Hover | null> {
      const { position } = await writeAtBar(text, name);
      return client.sendRequest<Hover | null>("textDocument/hover", { ...about(name), position });
    },
    /** Resolves with what is published for the newest version, once it is. */
    async diagnostics(text?: string, name?: string): Promise<Diagnostic[]> {
      if (text !== undefined) await write(text, name);
      const newest = () =>
        published.findLast((one) => one.uri === uri(name) && one.version === versions.get(uri(name)));
      while (!newest()) await new Promise<void>((wake) => waiting.add(wake));
      return newest()!.diagnostics;
    },
    actions: (range: Range, name?: string) =>
      client.sendRequest<CodeAction[]>("textDocument/codeAction", {
        ...about(name),
        range,
        context: { diagnostics: [] },
      }),
    lenses: (name?: string) => client.sendRequest<CodeLens[] | null>("textDocument/codeLens", about(name)),
    links: () => client.sendRequest<DocumentLink[]>("textDocument/documentLink", about()),
    symbols: () => client.sendRequest<DocumentSymbol[]>("textDocument/documentSymbol", about()),
    folding: () => client.sendRequest<FoldingRange[]>("textDocument/foldingRange", about()),
    async close(name?: string) {
      versions.delete(uri(name));
      await client.sendNotification("textDocument/didClose", about(name));
    },
    async stop() {
      client.dispose();
      server.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Language = Awaited<ReturnType<typeof startLanguage>>;

/** The text after edits; snippets lose their tab stops, choices become the first one. */
export function applied(text: string, edits: { range: Range; newText: string }[]): string {
  const plain = edits.map(({ range, newText }) => ({
    range,
    newText: newText
      .replace(/(?<!\\)\$\{\d+\|((?:\\.|[^,|\\])*)(?:[^|\\]|\\.)*\|\}/g, "$1")
      .replace(/(?<!\\)\$\{\d+:((?:\\.|[^}\\])*)\}/g, "$1")
      .replace(/(?<!\\)\$\d+/g, "")
      .replace(/\\([$}\\,|])/g, "$1"),
  }));
  return TextDocument.applyEdits(TextDocument.create("", "", 0, text), plain);
}
