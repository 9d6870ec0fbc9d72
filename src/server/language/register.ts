import { CodeLensRefreshRequest, type Connection, type TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { throttled } from "../notices.ts";
import { completionsAt } from "./completion.ts";
import { type ConfigDocument, isConfigUri, readConfig } from "./configDocument.ts";
import type { LanguageContext } from "./context.ts";
import { diagnose } from "./diagnostics.ts";
import { quickFixes } from "./fixes.ts";
import { hoverAt } from "./hover.ts";
import { codeLenses } from "./lenses.ts";
import { documentLinks } from "./links.ts";
import { documentSymbols, foldingRanges } from "./yamlService.ts";

const typingPauseMs = 150;
const lensRefreshMs = 1000;
/** Lenses tell how long ago something was. */
const minuteMs = 60_000;

/** Answers the editor's questions about configs. The caller announces the capabilities and starts to listen. */
export function registerLanguage(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  context: LanguageContext,
): void {
  const open = (uri: string) => (isConfigUri(uri) ? documents.get(uri) : undefined);
  const ask = <T>(uri: string, answer: (config: ConfigDocument, document: TextDocument) => T): T | null => {
    const document = open(uri);
    return document ? answer(readConfig(document), document) : null;
  };

  connection.onCompletion(({ textDocument, position }) =>
    ask(textDocument.uri, (config, document) => completionsAt(config, document.offsetAt(position))),
  );
  connection.onHover(({ textDocument, position }) =>
    ask(
      textDocument.uri,
      (config, document) =>
        hoverAt(config, document.offsetAt(position), context.snapshotOf(config.uri)) ?? null,
    ),
  );
  connection.onCodeAction(({ textDocument, range }) =>
    ask(textDocument.uri, (config) => quickFixes(config, context.factsOf(config.uri), range)),
  );
  connection.onDocumentLinks(({ textDocument }) => ask(textDocument.uri, documentLinks));
  connection.onDocumentSymbol(({ textDocument }) => ask(textDocument.uri, (_, one) => documentSymbols(one)));
  connection.onFoldingRanges(({ textDocument }) => ask(textDocument.uri, (_, one) => foldingRanges(one)));

  registerDiagnostics(connection, documents, context);
  registerLenses(connection, documents, context);
}

function registerDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  context: LanguageContext,
): void {
  const pauses = new Map<string, NodeJS.Timeout>();
  const sent = new Map<string, string>();
  const send = (document: TextDocument) => {
    const diagnostics = diagnose(readConfig(document), context.factsOf(document.uri));
    const text = `${document.version} ${JSON.stringify(diagnostics)}`;
    if (sent.get(document.uri) === text) return;
    sent.set(document.uri, text);
    quietly(() => connection.sendDiagnostics({ uri: document.uri, version: document.version, diagnostics }));
  };
  documents.onDidChangeContent(({ document }) => {
    const { uri } = document;
    if (!isConfigUri(uri)) return;
    clearTimeout(pauses.get(uri));
    pauses.set(
      uri,
      setTimeout(() => {
        pauses.delete(uri);
        const current = documents.get(uri);
        if (current) send(current);
      }, typingPauseMs),
    );
  });
  documents.onDidClose(({ document: { uri } }) => {
    if (!isConfigUri(uri)) return;
    clearTimeout(pauses.get(uri));
    pauses.delete(uri);
    sent.delete(uri);
    quietly(() => connection.sendDiagnostics({ uri, diagnostics: [] }));
  });
  context.onDidChange((changed) => {
    for (const document of documents.all()) {
      // While someone types, the pause's end sends them.
      if (!isConfigUri(document.uri) || pauses.has(document.uri)) continue;
      if (changed === undefined || changed === document.uri) send(document);
    }
  });
}

function registerLenses(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  context: LanguageContext,
): void {
  const lensesOf = (document: TextDocument) => {
    const snapshot = context.snapshotOf(document.uri);
    const known = snapshot && { snapshot, runs: context.runsOf(document.uri), now: Date.now() };
    return codeLenses(readConfig(document), known);
  };
  /** What the editor shows; it is asked to ask again only where that has changed. */
  const shown = new Map<string, string>();
  connection.onCodeLens(({ textDocument: { uri } }) => {
    const document = isConfigUri(uri) ? documents.get(uri) : undefined;
    if (!document) return null;
    const lenses = lensesOf(document);
    shown.set(uri, JSON.stringify(lenses));
    return lenses;
  });
  const refresh = throttled(lensRefreshMs, () => {
    const stale = [...shown].some(([uri, text]) => {
      const document = documents.get(uri);
      return document && JSON.stringify(lensesOf(document)) !== text;
    });
    // An editor that cannot be asked shows them anew with the next edit.
    if (stale) quietly(() => connection.sendRequest(CodeLensRefreshRequest.type));
  });
  context.onDidChange(refresh);
  documents.onDidClose(({ document }) => shown.delete(document.uri));
  setInterval(refresh, minuteMs).unref();
}

/** A connection that is closing has nobody to tell, and throws. */
function quietly(send: () => Promise<void>): void {
  Promise.resolve()
    .then(send)
    .catch(() => {});
}
