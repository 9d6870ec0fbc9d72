import { CompletionItemKind, type DocumentSymbol, type FoldingRange } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { LanguageService } from "yaml-language-server";
import type { ConfigPath } from "./context.ts";
import type { Cursor } from "./cursor.ts";
import { rootSchema } from "./schema.ts";

let service: Promise<LanguageService> | undefined;

/** Loaded when first needed: most of the server's work needs no YAML service. */
function yamlService(): Promise<LanguageService> {
  service ??= import("yaml-language-server").then(({ getLanguageService }) => {
    const made = getLanguageService({
      // No schema but ours, and nothing from the network.
      schemaRequestService: (uri) => Promise.reject(new Error(`${uri} is not fetched`)),
      workspaceContext: { resolveRelativePath: (relative) => relative },
    });
    made.configure({
      completion: true,
      hover: false,
      validate: false,
      format: false,
      isKubernetes: false,
      customTags: [],
      schemas: [{ uri: "leaf:config", fileMatch: ["**"], schema: rootSchema }],
    });
    return made;
  });
  return service;
}

let version = 0;

/** A copy under a version of its own (the library caches by it), in which no comment or key names another schema. */
function copyOf(uri: string, text: string): TextDocument {
  const plain = text.replace(/yaml-language-server|\$schema/g, (word) => "_".repeat(word.length));
  return TextDocument.create(uri, "yaml", ++version, plain);
}

export async function documentSymbols(document: TextDocument): Promise<DocumentSymbol[]> {
  const yaml = await yamlService();
  return yaml.findDocumentSymbols2(copyOf(document.uri, document.getText()), { resultLimit: 1000 });
}

export async function foldingRanges(document: TextDocument): Promise<FoldingRange[]> {
  const yaml = await yamlService();
  return yaml.getFoldingRanges(copyOf(document.uri, document.getText()), { rangeLimit: 1000 }) ?? [];
}

export interface Proposals {
  keys: string[];
  values: string[];
}

/**
 * What the schema allows at the cursor. The library is asked about a small document in block style that leads to the
 * same place: in `{ }`, and in text that is broken elsewhere, it would find nothing.
 */
export async function proposals(cursor: Cursor): Promise<Proposals> {
  const { path, kind } = cursor;
  if (path.some((part) => typeof part === "number")) return { keys: [], values: [] };
  const yaml = await yamlService();
  const copy = copyOf("leaf:proposals/leaf.yaml", blockText(cursor));
  const { items } = await yaml.doComplete(copy, copy.positionAt(copy.getText().length), false);
  const unescaped = (text: string) => text.replace(/\\([$}\\])/g, "$1");
  const of = (wanted: CompletionItemKind[]) => [
    ...new Set(items.filter((item) => item.kind && wanted.includes(item.kind)).map((item) => item)),
  ];
  const keys = of([CompletionItemKind.Property]).map((item) => item.label);
  const values = of([CompletionItemKind.Value, CompletionItemKind.EnumMember]).map((item) =>
    unescaped(item.insertText ?? item.label),
  );
  return kind === "key" ? { keys, values: [] } : { keys: [], values };
}

/** The sections above the cursor, and in the last one the keys it has, so that they are not proposed again. */
function blockText({ path, kind, siblings, valueAt }: Cursor): string {
  const parent: ConfigPath = kind === "key" ? path : path.slice(0, -1);
  const lines = parent.map((part, depth) => `${"  ".repeat(depth)}${part}:`);
  const indent = "  ".repeat(parent.length);
  for (const key of siblings) {
    const value = valueAt([...parent, key]);
    lines.push(`${indent}${JSON.stringify(key)}: ${value === undefined ? "{}" : JSON.stringify(value)}`);
  }
  lines.push(kind === "key" ? indent : `${indent}${path.at(-1)}: `);
  return lines.join("\n");
}
