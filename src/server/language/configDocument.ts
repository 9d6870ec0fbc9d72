import path from "node:path";
import type { Range } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";
import { type Document, isMap, isNode, isPair, isSeq } from "yaml";
import { keySpan, pairAt, type Span, type YamlText, yamlText } from "../../engine/config/yamlDocument.ts";
import type { ConfigPath } from "./context.ts";

/** A config as it stands in the editor, whole or half-typed. */
export interface ConfigDocument extends YamlText {
  uri: string;
  version: number;
  range(start: number, end: number): Range;
}

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
    ...yamlText(document.getText()),
    range: (start, end) => ({ start: document.positionAt(start), end: document.positionAt(end) }),
  };
  cache.set(document, config);
  return config;
}

/** Folder of the config, which its paths are relative to; undefined where it is not in a file system. */
export function folderOf(uri: string): string | undefined {
  const parsed = URI.parse(uri);
  return parsed.scheme === "file" ? path.dirname(parsed.fsPath) : undefined;
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
  const found = (spread ? undefined : valueSpan(yaml, at)) ?? keySpan(pairAt(yaml, at)) ?? itemSpan(node, at);
  return found ?? keySpan(pairAt(yaml, at.slice(0, -1))) ?? problemSpan(yaml, at.slice(0, -1));
}

/** An entry of a list that is itself a map has no key of its own: its first one stands for it. */
export function itemSpan(node: unknown, at: ConfigPath): Span | undefined {
  return typeof at.at(-1) === "number" && isMap(node) ? keySpan(node.items[0]) : undefined;
}

/** The plain value of a scalar at a path. */
export function scalarAt(yaml: Document.Parsed, at: ConfigPath): unknown {
  const value = at.length > 0 ? yaml.getIn(at) : undefined;
  return isNode(value) || isPair(value) ? undefined : value;
}
