import {
  type CodeLens,
  CodeLensRefreshRequest,
  type Connection,
  type Diagnostic,
  type TextDocuments,
} from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { throttled } from "../notices.ts";
import { completionsAt } from "./completion.ts";
import { type ConfigDocument, isConfigUri, readConfig } from "./configDocument.ts";
import type { LanguageContext } from "./context.ts";
import { diagnose } from "./diagnostics.ts";
import { experimentLanguage } from "./experiments/document.ts";
import { isExperimentUri } from "./experiments/places.ts";
import { quickFixes } from "./fixes.ts";
import { hoverAt } from "./hover.ts";
import { codeLenses } from "./lenses.ts";
import { documentLinks } from "./links.ts";
import { documentSymbols, foldingRanges } from "./yamlService.ts";

const typingPauseMs = 150;
const lensRefreshMs = 1000;
/** VS Code asks anew only after a pause, as long as former answers took, and each word of news begins it again: on a slow machine it never ended. */
const lensPatienceMs = 10_000;
/** Lenses tell how long ago something was. */
const minuteMs = 60_000;

/** Answers the editor's questions about configs. The caller announces the capabilities and starts to listen. */
export function registerLanguage(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  context: LanguageContext,
): void {
  const experiments = experimentLanguage(context, (uri) => documents.get(uri)?.getText());
  const isOurs = (uri: string) => isConfigUri(uri) || isExperimentUri(uri);
  const open = (uri: string) => (isOurs(uri) ? documents.get(uri) : undefined);
  const ask = <T>(uri: string, answer: (config: ConfigDocument, document: TextDocument) => T): T | null => {
    const document = open(uri);
    return document ? answer(readConfig(document), document) : null;
  };

  connection.onCompletion(({ textDocument: { uri }, position }) =>
    ask(uri, (config, document) =>
      isExperimentUri(uri)
        ? experiments.completions(config, document.offsetAt(position))
        : completionsAt(config, document.offsetAt(position)),
    ),
  );
  connection.onHover(({ textDocument: { uri }, position }) =>
    ask(uri, (config, document) =>
      isExperimentUri(uri)
        ? experiments.hover(config, document.offsetAt(position))
        : (hoverAt(config, document.offsetAt(position), context.snapshotOf(uri)) ?? null),
    ),
  );
  connection.onCodeAction(({ textDocument: { uri }, range }) =>
    ask(uri, (config) =>
      isExperimentUri(uri)
        ? experiments.actions(config, range)
        : quickFixes(config, context.factsOf(uri), range),
    ),
  );
  connection.onDocumentLinks(({ textDocument }) => ask(textDocument.uri, documentLinks));
  connection.onDocumentSymbol(({ textDocument }) => ask(textDocument.uri, (_, one) => documentSymbols(one)));
  connection.onFoldingRanges(({ textDocument }) => ask(textDocument.uri, (_, one) => foldingRanges(one)));

  const diagnosed = (document: TextDocument) =>
    isExperimentUri(document.uri)
      ? experiments.diagnose(readConfig(document))
      : diagnose(readConfig(document), context.factsOf(document.uri));
  registerDiagnostics(connection, documents, context, isOurs, diagnosed);
  registerLenses(connection, documents, context, isOurs, (document) =>
    isExperimentUri(document.uri) ? experiments.lenses(readConfig(document)) : undefined,
  );
}

function registerDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  context: LanguageContext,
  isOurs: (uri: string) => boolean,
  diagnosed: (document: TextDocument) => Diagnostic[] | Promise<Diagnostic[]>,
): void {
  const pauses = new Map<string, NodeJS.Timeout>();
  const sent = new Map<string, string>();
  const send = async (document: TextDocument) => {
    const { version } = document;
    const diagnostics = await diagnosed(document);
    // Edited or closed meanwhile: a later call tells of that.
    if (documents.get(document.uri) !== document || document.version !== version) return;
    const text = `${document.version} ${JSON.stringify(diagnostics)}`;
    if (sent.get(document.uri) === text) return;
    sent.set(document.uri, text);
    quietly(() => connection.sendDiagnostics({ uri: document.uri, version: document.version, diagnostics }));
  };
  documents.onDidChangeContent(({ document }) => {
    const { uri } = document;
    if (!isOurs(uri)) return;
    clearTimeout(pauses.get(uri));
    pauses.set(
      uri,
      setTimeout(() => {
        pauses.delete(uri);
        const current = documents.get(uri);
        if (current) void send(current);
      }, typingPauseMs),
    );
  });
  documents.onDidClose(({ document: { uri } }) => {
    if (!isOurs(uri)) return;
    clearTimeout(pauses.get(uri));
    pauses.delete(uri);
    sent.delete(uri);
    quietly(() => connection.sendDiagnostics({ uri, diagnostics: [] }));
  });
  context.onDidChange((changed) => {
    for (const document of documents.all()) {
      // While someone types, the pause's end sends them.
      if (!isOurs(document.uri) || pauses.has(document.uri)) continue;
      // An experiment's problems are also those of its base.
      if (changed === undefined || changed === document.uri || !isConfigUri(document.uri))
        void send(document);
    }
  });
}

function registerLenses(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  context: LanguageContext,
  isOurs: (uri: string) => boolean,
  /** Undefined for a document that is a config. */
  others: (document: TextDocument) => Promise<CodeLens[]> | undefined,
): void {
  const lensesOf = async (document: TextDocument) => {
    const other = others(document);
    if (other) return other;
    const snapshot = context.snapshotOf(document.uri);
    const known = snapshot && { snapshot, runs: context.runsOf(document.uri), now: Date.now() };
    return codeLenses(readConfig(document), known);
  };
  /** What the editor shows; it is asked to ask again only where that has changed. */
  const shown = new Map<string, string>();
  /** When the editor was asked to ask; undefined once it has. */
  let asked: number | undefined;
  connection.onCodeLens(async ({ textDocument: { uri } }) => {
    const document = isOurs(uri) ? documents.get(uri) : undefined;
    if (!document) return null;
    const lenses = await lensesOf(document);
    shown.set(uri, JSON.stringify(lenses));
    asked = undefined;
    return lenses;
  });
  const refreshStale = async () => {
    if (asked !== undefined && performance.now() - asked < lensPatienceMs) return;
    for (const [uri, text] of [...shown]) {
      const document = documents.get(uri);
      if (!document || JSON.stringify(await lensesOf(document)) === text) continue;
      asked = performance.now();
      // An editor that cannot be asked shows them anew with the next edit.
      quietly(() => connection.sendRequest(CodeLensRefreshRequest.type));
      return;
    }
  };
  const refresh = throttled(lensRefreshMs, () => quietly(refreshStale));
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
