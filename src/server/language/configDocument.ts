import path from "node:path";
import type { Range } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";
import { type Document, isMap, isNode, isPair, isScalar, isSeq, type Pair, parseDocument } from "yaml";
import type { ConfigPath } from "./context.ts";

/** A config as it stands in the editor, whole or half-typed. */
export interface ConfigDocument {
  uri: string;
  version: number;
  text: string;
  yaml: Document.Parsed;
  range(start: number, end: number): Range;
}

/** Offsets into the text, the end exclusive. */
export type Span = [start: number, end: number];

/** Is this the URI of a `leaf.yaml` or `*.leaf.yaml`? */
export function isConfigUri(uri: string): boolean {
  return /(^|[/\\.])leaf\.yaml$/.test(URI.parse(uri).path);
}

const cache = new WeakMap<TextDocument, ConfigDocument>();

/** Never throws; text that cannot be parsed at all counts as an empty config. */
export function readConfig(document: TextDocument): ConfigDocument {
  const known = cache.get(document);
  if (known?.version === document.version) return known;
  const config: ConfigDocument = {
    uri: document.uri,
    version: document.version,
    text: document.getText(),
    yaml: parseTolerant(document.getText()),
    range: (start, end) => ({ start: document.positionAt(start), end: document.positionAt(end) }),
  };
  cache.set(document, config);
  return config;
}

/** As `parseDocument`, but text that overflows its stack (brackets nested by the thousand) gives an empty document. */
export function parseTolerant(text: string): Document.Parsed {
  try {
    return parseDocument(text, { prettyErrors: false, uniqueKeys: true, logLevel: "error" });
  } catch {
    return parseDocument("");
  }
}

/** Folder of the config, which its paths are relative to; undefined where it is not in a file system. */
export function folderOf(uri: string): string | undefined {
  const parsed = URI.parse(uri);
  return parsed.scheme === "file" ? path.dirname(parsed.fsPath) : undefined;
}

/** The key and value at a path; undefined where the document has none, or the path ends in a list. */
export function pairAt(yaml: Document.Parsed, at: ConfigPath): Pair | undefined {
  const key = at.at(-1);
  const parent = at.length > 1 ? yaml.getIn(at.slice(0, -1), true) : yaml.contents;
  if (!isMap(parent) || key === undefined) return undefined;
  return parent.items.find((pair) => keyName(pair) === String(key));
}

export function keyName(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/** Where the key stands. */
export function keySpan(pair: Pair | undefined): Span | undefined {
  return isNode(pair?.key) && pair.key.range ? [pair.key.range[0], pair.key.range[1]] : undefined;
}

/** Where the node at a path stands; undefined where nothing is written. */
export function valueSpan(yaml: Document.Parsed, at: ConfigPath): Span | undefined {
  const node = at.length > 0 ? yaml.getIn(at, true) : yaml.contents;
  if (!isNode(node) || !node.range || node.range[0] === node.range[1]) return undefined;
  return [node.range[0], node.range[1]];
}

/** Where a problem at a path is marked: a value, but a section's key; the nearest key above a place that is not written. */
export function problemSpan(yaml: Document.Parsed, at: ConfigPath): Span | undefined {
  if (at.length === 0) return undefined;
  const node = yaml.getIn(at, true);
  const spread = isMap(node) || (isSeq(node) && !node.flow);
  const found = (spread ? undefined : valueSpan(yaml, at)) ?? keySpan(pairAt(yaml, at));
  return found ?? keySpan(pairAt(yaml, at.slice(0, -1))) ?? problemSpan(yaml, at.slice(0, -1));
}

/** The plain value of a scalar at a path. */
export function scalarAt(yaml: Document.Parsed, at: ConfigPath): unknown {
  const value = at.length > 0 ? yaml.getIn(at) : undefined;
  return isNode(value) || isPair(value) ? undefined : value;
}
