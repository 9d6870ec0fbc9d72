import { readFileSync } from "node:fs";
import { type Document, isMap, isNode, isScalar, LineCounter, type Pair, parseDocument } from "yaml";

/** A text with what it says, whole or half-typed. */
export interface YamlText {
  text: string;
  yaml: Document.Parsed;
}

/** Place in a document: `["split", "ratios", 0]`. */
export type YamlPath = (string | number)[];

/** Offsets into the text, the end exclusive. */
export type Span = [start: number, end: number];

export function yamlText(text: string): YamlText {
  return { text, yaml: parseTolerant(text) };
}

/** As `parseDocument`, but text that overflows its stack (brackets nested by the thousand) gives an empty document. */
export function parseTolerant(text: string): Document.Parsed {
  try {
    return parseDocument(text, { prettyErrors: false, uniqueKeys: true, logLevel: "error" });
  } catch {
    return parseDocument("");
  }
}

/** In which line (1-based) of a file a value stands; undefined for one that is not there, or a file that cannot be read. */
export function linesOf(file: string): (at: YamlPath) => number | undefined {
  const lines = new LineCounter();
  let yaml: Document.Parsed | undefined;
  try {
    yaml = parseDocument(readFileSync(file, "utf8"), { lineCounter: lines, logLevel: "silent" });
  } catch {
    // Told without the line.
  }
  return (at) => {
    const node = yaml?.getIn(at, true);
    return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
  };
}

/** The key and value at a path; undefined where the document has none, or the path ends in a list. */
export function pairAt(yaml: Document.Parsed, at: YamlPath): Pair | undefined {
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

/** A value as it stands in a flow map: `[1, 5]`, `{ kind: embedded }`. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, one]) => `${key}: ${flowText(one)}`);
    return entries.length > 0 ? `{ ${entries.join(", ")} }` : "{}";
  }
  return typeof value === "string" ? scalarText(value) : String(value);
}

/** Text as a YAML scalar, quoted only where it must be. */
export function scalarText(text: string): string {
  const plain = /^[\p{L}_./][\p{L}\p{N}_./@+ -]*$/u.test(text) && !/\s$/.test(text);
  const word = /^(true|false|null|yes|no|on|off|~|\.inf|\.nan|[.+-]?\d.*)$/i.test(text);
  return plain && !word ? text : JSON.stringify(text);
}
