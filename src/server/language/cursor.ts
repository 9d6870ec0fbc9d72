import {
  isCollection,
  isMap,
  isPair,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  visit,
  type YAMLMap,
} from "yaml";
import { keyName, keySpan, parseTolerant, type Span } from "../../engine/config/yamlDocument.ts";
import type { ConfigPath } from "./context.ts";

/** What is being typed at the cursor. */
export interface Cursor {
  kind: "key" | "value";
  /** Of the section that the key is typed in, or of the value. */
  path: ConfigPath;
  /** Inside `{ }` or `[ ]`. */
  flow: boolean;
  quote: "" | '"' | "'";
  /** The word so far, without its quote. */
  typed: string;
  /** The whole word, also what of it stands behind the cursor. */
  span: Span;
  /** Is the key followed by its colon already? */
  colon: boolean;
  /** Only this word stands on its line. */
  alone: boolean;
  /** Keys of the section, without the one being typed. */
  siblings: string[];
  /** What the document says elsewhere, for alternatives that depend on it. */
  valueAt(path: ConfigPath): unknown;
}

// From the private use area: a word of its own in any place. Two of it, since an open quote swallows the last letter.
const mark = "\ue000\ue000";

/**
 * Finds out by what stands before the cursor, so that a document which is broken behind it, as it is while one types, does
 * no harm. Undefined in comments, block text and other places where nothing is to be completed.
 */
export function cursorAt(text: string, offset: number): Cursor | undefined {
  const before = text.slice(0, offset);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  // A word alone on its line is a key to be, though its colon is not typed yet.
  const alone =
    /^[ \t]*(?:- +)*[^\s:#[\]{},"'&*!|>%@`-]?[^\s:#[\]{},"']*$/.test(line) && !/^\s*-$/.test(line);
  const found = findMark(`${before}${mark}${alone ? ":" : ""}`);
  if (!found) return undefined;
  const { node, path, pair, flow } = found;
  const quote = node.type === "QUOTE_DOUBLE" ? '"' : node.type === "QUOTE_SINGLE" ? "'" : "";
  const kind = pair?.key === node ? "key" : "value";
  const start = (node.range?.[0] ?? offset) + quote.length;
  // Text that goes on from the line above has its value already.
  if (text.slice(start, offset).includes("\n")) return undefined;
  const end = offset + restOfWord(text.slice(offset), kind, flow, quote);
  const parent = kind === "key" ? path : path.slice(0, -1);
  // With the word made whole, most of what stands behind can be read too.
  const colon = kind === "key" && /^["']?\s*:(\s|$)/.test(text.slice(end));
  const made = `${text.slice(0, start)}${mark}${kind === "key" && !colon && !flow ? ":" : ""}${text.slice(end)}`;
  const whole = parseTolerant(made);
  const section = parent.length > 0 ? whole.getIn(parent, true) : whole.contents;
  if (kind === "key" && alone && !flow && isMap(section) && isOutOfLine(section, made, text, start))
    return undefined;
  const siblings = isMap(section)
    ? section.items.flatMap((item) => keyName(item) ?? []).filter((name) => !name.includes(mark[0]!))
    : [];
  return {
    kind,
    path,
    flow,
    quote,
    typed: text.slice(start, offset),
    span: [start, end],
    colon,
    alone,
    siblings: kind === "value" ? siblings.filter((name) => name !== path.at(-1)) : siblings,
    valueAt(at) {
      const value = whole.getIn(at);
      return isCollection(value) || isPair(value) ? undefined : value;
    },
  };
}

interface Found {
  node: Scalar;
  pair: Pair | undefined;
  path: ConfigPath;
  flow: boolean;
}

function findMark(text: string): Found | undefined {
  let found: Found | undefined;
  visit(parseTolerant(text), {
    Scalar(_, node, ancestors) {
      const source = node.source ?? String(node.value);
      if (!source.includes(mark[0]!) || node.type?.startsWith("BLOCK")) return;
      const parent = ancestors.at(-1);
      const pair = isPair(parent) ? parent : undefined;
      const chain = [...ancestors, node] as (Node | Pair)[];
      const path = chain.flatMap((one, i): ConfigPath => {
        if (isPair(one)) return one === pair && pair.key === node ? [] : [keyName(one) ?? ""];
        const above = chain[i - 1];
        return isSeq(above) ? [above.items.indexOf(one)] : [];
      });
      found = { node, pair, path, flow: ancestors.some((one) => isCollection(one) && one.flow === true) };
      return visit.BREAK;
    },
  });
  return found;
}

/** A key that is indented otherwise than its neighbours would be an error wherever it ends up. */
function isOutOfLine(section: YAMLMap, whole: string, text: string, start: number): boolean {
  const columnOf = (source: string, at: number) => at - (source.lastIndexOf("\n", at - 1) + 1);
  const neighbour = section.items.find((item) => keyName(item)?.includes(mark[0]!) === false);
  const at = keySpan(neighbour)?.[0];
  return at !== undefined && columnOf(whole, at) !== columnOf(text, start);
}

/** How much of the word stands behind the cursor. */
function restOfWord(rest: string, kind: "key" | "value", flow: boolean, quote: string): number {
  if (quote) return /^[^"'\r\n]*/.exec(rest)![0].length;
  if (kind === "key") return /^[\w-]*/.exec(rest)![0].length;
  if (flow) return /^[^\s,[\]{}#"']*/.exec(rest)![0].length;
  return /^(?:(?!\s+#)[^\r\n])*/.exec(rest)![0].trimEnd().length;
}
