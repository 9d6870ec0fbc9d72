import { isCollection, isMap, isNode, type Pair, type YAMLMap } from "yaml";
import { type ConfigDocument, keySpan, pairAt, type Span } from "./configDocument.ts";
import type { ConfigPath } from "./context.ts";
import { flowText } from "./describe.ts";

/** Text in place of a span. Only what changes is touched: comments and layout stay. */
export interface Edit {
  span: Span;
  text: string;
}

export function renameKey(config: ConfigDocument, path: ConfigPath, name: string): Edit | undefined {
  const span = keySpan(pairAt(config.yaml, path));
  return span && { span, text: name };
}

/** Takes a key out with its value: its lines, or its part of a flow map. */
export function removeKey(config: ConfigDocument, path: ConfigPath): Edit | undefined {
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
export function setValue(config: ConfigDocument, path: ConfigPath, value: unknown): Edit | undefined {
  const text = flowText(value);
  const node = config.yaml.getIn(path, true);
  if (isNode(node) && node.range && node.range[0] < node.range[1]) {
    // A value over several lines is replaced together with its place after the colon.
    const key = isCollection(node) && !node.flow ? keySpan(pairAt(config.yaml, path)) : undefined;
    const end = config.text.slice(0, node.range[1]).trimEnd().length;
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

function addKey(config: ConfigDocument, path: ConfigPath, text: string): Edit | undefined {
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
    return { span: [start, start], text: `${lines(" ".repeat(first[0] - start)).join("\n")}\n` };
  }
  if (depth === 0 && config.yaml.contents !== null && !map) return undefined;
  // Whole sections go to the end, where they are seen; `images` belongs at the top.
  if (missing[0] === "images" || (path.length === 1 && !first))
    return { span: [0, 0], text: `${lines("").join("\n")}\n` };
  const gap = config.text === "" || config.text.endsWith("\n") ? "" : "\n";
  return { span: [config.text.length, config.text.length], text: `${gap}${lines("").join("\n")}\n` };
}

function removeFromFlow(text: string, map: YAMLMap, pair: Pair, [start, end]: Span): Edit {
  const comma = /^\s*,\s*/.exec(text.slice(end));
  if (comma) return { span: [start, end + comma[0].length], text: "" };
  const before = map.items.indexOf(pair) > 0 ? /\s*,\s*$/.exec(text.slice(0, start)) : null;
  return { span: [before ? start - before[0].length : start, end], text: "" };
}

function mapAt(config: ConfigDocument, path: ConfigPath): YAMLMap | undefined {
  const node = path.length > 0 ? config.yaml.getIn(path, true) : config.yaml.contents;
  return isMap(node) ? node : undefined;
}

function endOf(pair: Pair): number {
  return isNode(pair.value) && pair.value.range ? pair.value.range[1] : 0;
}
