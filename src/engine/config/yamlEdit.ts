import {
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import {
  flowText,
  keySpan,
  pairAt,
  type Span,
  scalarText,
  type YamlPath,
  type YamlText,
} from "./yamlDocument.ts";

/** Text in place of a span. Only what changes is touched: comments and layout stay. */
export interface Edit {
  span: Span;
  text: string;
}

/** The text with all of these; they must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.span[0] - a.span[0])
    .reduce(
      (edited, { span: [start, end], text: put }) => edited.slice(0, start) + put + edited.slice(end),
      text,
    );
}

export function renameKey(config: YamlText, path: YamlPath, name: string): Edit | undefined {
  const span = keySpan(pairAt(config.yaml, path));
  return span && { span, text: name };
}

/** Takes a key out with its value: its lines, or its part of a flow map. */
export function removeKey(config: YamlText, path: YamlPath): Edit | undefined {
  const pair = pairAt(config.yaml, path);
  const map = mapAt(config, path.slice(0, -1));
  const key = keySpan(pair);
  if (!pair || !map || !key) return undefined;
  const end = Math.max(key[1], config.text.slice(0, endOf(pair)).trimEnd().length);
  if (map.flow) return removeFromFlow(config.text, map, pair, [key[0], end]);
  if (map.items.length === 1 && path.length > 1) {
    const parent = keySpan(pairAt(config.yaml, path.slice(0, -1)));
    return parent && { span: [parent[1], end], text: ": {}" };
  }
  const start = config.text.lastIndexOf("\n", key[0] - 1) + 1;
  // A key after a dash or a brace does not own its line.
  if (config.text.slice(start, key[0]).trim() !== "") return undefined;
  const next = config.text.indexOf("\n", Math.max(key[0], end - 1));
  return { span: [start, next < 0 ? config.text.length : next + 1], text: "" };
}

/** Writes a value, making the key and the sections above it where they are missing. */
export function setValue(config: YamlText, path: YamlPath, value: unknown): Edit | undefined {
  const text = flowText(value);
  const node = config.yaml.getIn(path, true);
  if (isNode(node) && node.range && node.range[0] < node.range[1]) {
    // A value over several lines is replaced together with its place after the colon.
    const key = isCollection(node) && !node.flow ? keySpan(pairAt(config.yaml, path)) : undefined;
    const end = contentEnd(node) ?? node.range[1];
    return key ? { span: [key[1], end], text: `: ${text}` } : { span: [node.range[0], node.range[1]], text };
  }
  const pair = pairAt(config.yaml, path);
  const key = keySpan(pair);
  if (key) {
    const colon = /^\s*:/.exec(config.text.slice(key[1]))?.[0].length ?? 0;
    return { span: [key[1], key[1] + colon], text: `: ${text}` };
  }
  return addKey(config, path, text);
}

/** Writes sections on lines of their own behind another one of the top level. */
export function addBehind(
  config: YamlText,
  key: string,
  sections: Record<string, unknown>,
): Edit | undefined {
  const pair = pairAt(config.yaml, [key]);
  if (!pair || mapAt(config, [])?.flow) return undefined;
  const at = endOfLine(config.text, endOf(pair));
  const lines = Object.entries(sections).map(([name, value]) => `${name}: ${flowText(value)}`);
  return insertLines(config.text, at, lines);
}

/** Goes on with a list as it is written, and makes one of a single value. The new entries are quoted. */
export function appendItems(config: YamlText, path: YamlPath, values: readonly string[]): Edit[] | undefined {
  const { text } = config;
  const value = config.yaml.getIn(path, true);
  const items = values.map((one) => JSON.stringify(one));
  if (isScalar(value) && value.range) {
    const [start, end] = value.range;
    const own = scalarText(String(value.value));
    const list = `[${[own, ...items].join(", ")}]`;
    if (list.length <= shortList) return [{ span: [start, end], text: list }];
    // A comment behind the value stays on its line.
    const before = text.slice(0, start).trimEnd().length;
    return [
      { span: [before, end], text: `${lineEndOf(text)}  - ${own}` },
      insertLines(
        text,
        endOfLine(text, end),
        items.map((item) => `  - ${item}`),
      ),
    ];
  }
  const last = isSeq(value) ? (value.items.at(-1) as Node | undefined) : undefined;
  if (!isSeq(value) || !last?.range) return undefined;
  const [start, end] = last.range;
  if (value.flow) return [{ span: [end, end], text: `, ${items.join(", ")}` }];
  const indent = /^ */.exec(text.slice(text.lastIndexOf("\n", start) + 1))![0];
  return [
    insertLines(
      text,
      endOfLine(text, end),
      items.map((item) => `${indent}- ${item}`),
    ),
  ];
}

const shortList = 80;

function addKey(config: YamlText, path: YamlPath, text: string): Edit | undefined {
  if (path.some((part) => typeof part === "number")) return undefined;
  let depth = path.length - 1;
  while (depth > 0 && !mapAt(config, path.slice(0, depth))) depth--;
  const map = mapAt(config, path.slice(0, depth));
  const missing = path.slice(depth).map(String);
  const first = map?.items.map(keySpan).find(Boolean);
  if (map?.flow && map.range) {
    const inner = missing.reduceRight(
      (inside, key, i) => `${key}: ${i === missing.length - 1 ? text : `{ ${inside} }`}`,
      "",
    );
    const at = map.range[0] + 1;
    const empty = map.items.length === 0;
    return { span: [at, at], text: empty ? ` ${inner} ` : ` ${inner},` };
  }
  const lines = (indent: string) =>
    missing.map((key, i) => `${indent}${"  ".repeat(i)}${key}:${i === missing.length - 1 ? ` ${text}` : ""}`);
  if (depth > 0 && first) {
    const start = config.text.lastIndexOf("\n", first[0] - 1) + 1;
    return insertLines(config.text, start, lines(" ".repeat(first[0] - start)));
  }
  if (depth === 0 && config.yaml.contents !== null && !map) return undefined;
  // Whole sections go to the end, where they are seen; `images` belongs at the top.
  if (missing[0] === "images" || (path.length === 1 && !first)) return insertLines(config.text, 0, lines(""));
  return insertLines(config.text, config.text.length, lines(""));
}

/** Lines at the start of a line, or behind a last one without its end. */
function insertLines(text: string, at: number, lines: string[]): Edit {
  const lineEnd = lineEndOf(text);
  const gap = at === 0 || text[at - 1] === "\n" ? "" : lineEnd;
  return { span: [at, at], text: gap + lines.map((line) => line + lineEnd).join("") };
}

function lineEndOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Behind the line break of the line on which something ends. */
function endOfLine(text: string, end: number): number {
  const lineBreak = text.indexOf("\n", text.slice(0, end).trimEnd().length);
  return lineBreak < 0 ? text.length : lineBreak + 1;
}

function removeFromFlow(text: string, map: YAMLMap, pair: Pair, [start, end]: Span): Edit {
  const comma = /^\s*,\s*/.exec(text.slice(end));
  if (comma) return { span: [start, end + comma[0].length], text: "" };
  const before = map.items.indexOf(pair) > 0 ? /\s*,\s*$/.exec(text.slice(0, start)) : null;
  return { span: [before ? start - before[0].length : start, end], text: "" };
}

function mapAt(config: YamlText, path: YamlPath): YAMLMap | undefined {
  const node = path.length > 0 ? config.yaml.getIn(path, true) : config.yaml.contents;
  return isMap(node) ? node : undefined;
}

function endOf(pair: Pair): number {
  return contentEnd(pair.value) ?? 0;
}

/** Where the last word of a value ends: the range of a section counts the comments behind it as well. */
function contentEnd(value: unknown): number | undefined {
  if (isPair(value)) return contentEnd(value.value) ?? contentEnd(value.key);
  if (isCollection(value) && !value.flow && value.items.length > 0) return contentEnd(value.items.at(-1));
  return isNode(value) ? value.range?.[1] : undefined;
}
