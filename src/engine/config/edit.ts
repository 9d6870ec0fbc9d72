import path from "node:path";
import { type Document, isMap, isScalar, isSeq, type Node, parseDocument, type YAMLMap } from "yaml";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { canonicalJson } from "../base/keys.ts";
import type { Config } from "./config.ts";
import { parseConfig } from "./read.ts";

/** A change of a config's text that leaves all else as it was written; `formatted` is a second way, which may reformat. */
interface Edit {
  plain(text: string, document: Document): string | undefined;
  formatted(document: Document): void;
  /** What the config must be afterwards. */
  wanted(config: Config): unknown;
}

/** Applies an edit and makes sure of its effect. Throws LeafError `config` for a config that cannot be read or edited. */
function applyEdit(text: string, file: string, edit: Edit): string {
  const before = parseConfig(text);
  if (!before.ok) {
    const first = before.problems[0]!;
    throw new LeafError(
      "config",
      say`${path.basename(file)}:${first.line}:${first.column}: ${first.words}.`,
      {
        file,
        line: first.line,
        column: first.column,
      },
    );
  }
  const wanted = canonicalJson(edit.wanted(before.config));
  const document = parseDocument(text);
  const isRight = (edited: string | undefined): edited is string => {
    const after = edited === undefined ? undefined : parseConfig(edited);
    return after?.ok === true && canonicalJson(after.config) === wanted;
  };
  const plain = edit.plain(text, document);
  if (isRight(plain)) return plain;
  edit.formatted(document);
  const formatted = document.toString({ lineWidth: 110, flowCollectionPadding: true });
  if (isRight(formatted)) return formatted;
  throw new LeafError("config", say`${path.basename(file)} is written in a way that cannot be edited.`, {
    file,
    remedy: say`Edit it by hand.`,
  });
}

/** Names a file of ratings on 1..5, all of whose training images calibrate: they were rated for that. */
export function withRatingsFile(text: string, file: string, csv: string): string {
  const mos = { file: csv, image: "image", score: "mos", range: [1, 5] as [number, number] };
  return applyEdit(text, file, {
    plain(text, document) {
      const images = pairOf(document, "images");
      if (!images) return undefined;
      const lineEnd = lineEndOf(text);
      const calibrate = pairOf(document, "calibrate");
      const line = `mos: { file: ${yamlText(csv)}, image: image, score: mos, range: [1, 5] }`;
      const lines = calibrate ? [line] : [line, "calibrate: { ratio: 1 }"];
      const at = endOfLine(text, images.value.range![1]);
      const added = (text[at - 1] === "\n" ? "" : lineEnd) + lines.map((one) => one + lineEnd).join("");
      const splices = [{ at, remove: 0, insert: added }];
      if (calibrate) {
        const { value } = calibrate;
        const ratio = isMap(value) ? (value.get("ratio", true) as Node | undefined) : undefined;
        const first = isMap(value) ? (value.items[0]?.key as Node | undefined) : undefined;
        const start = first?.range?.[0];
        if (ratio?.range)
          splices.push({ at: ratio.range[0], remove: ratio.range[1] - ratio.range[0], insert: "1" });
        else if (start === undefined) return undefined;
        else if ((value as YAMLMap).flow) splices.push({ at: start, remove: 0, insert: "ratio: 1, " });
        else splices.push({ at: start, remove: 0, insert: `ratio: 1${lineEnd}${indentAt(text, start)}` });
      }
      return splice(text, splices);
    },
    formatted(document) {
      document.set("mos", document.createNode(mos, { flow: true }));
      document.setIn(["calibrate", "ratio"], 1);
    },
    wanted: (config) => ({
      ...config,
      mos: { ...mos, lowerIsBetter: false },
      calibrate: { ...config.calibrate, ratio: 1 },
    }),
  });
}

/** Leaves files out of `images:`, which becomes a list; those that are left out already are passed over. */
export function withExclusions(
  text: string,
  file: string,
  paths: readonly string[],
): { text: string; added: number } {
  const current = parseConfig(text);
  const listed = new Set(current.ok ? [current.config.images].flat() : []);
  const entries = [...new Set(paths)].map((one) => `!${one}`).filter((entry) => !listed.has(entry));
  if (current.ok && entries.length === 0) return { text, added: 0 };
  const quoted = entries.map((entry) => JSON.stringify(entry));
  const edited = applyEdit(text, file, {
    plain(text, document) {
      const value = pairOf(document, "images")?.value;
      const lineEnd = lineEndOf(text);
      if (isScalar(value)) {
        const [start, end] = value.range!;
        const own = yamlText(String(value.value));
        const list = `[${[own, ...quoted].join(", ")}]`;
        if (list.length <= shortList) return splice(text, [{ at: start, remove: end - start, insert: list }]);
        // A comment behind the value stays on its line.
        const before = text.slice(0, start).trimEnd().length;
        const line = endOfLine(text, end);
        const items = quoted.map((item) => `  - ${item}${lineEnd}`).join("");
        return splice(text, [
          { at: before, remove: end - before, insert: `${lineEnd}  - ${own}` },
          { at: line, remove: 0, insert: (text[line - 1] === "\n" ? "" : lineEnd) + items },
        ]);
      }
      const last = isSeq(value) ? (value.items.at(-1) as Node | undefined) : undefined;
      if (!isSeq(value) || !last?.range) return undefined;
      if (value.flow)
        return splice(text, [{ at: last.range[1], remove: 0, insert: `, ${quoted.join(", ")}` }]);
      const at = endOfLine(text, last.range[1]);
      const indent = /^[ ]*/.exec(text.slice(text.lastIndexOf("\n", last.range[0]) + 1))![0];
      const items = quoted.map((item) => `${indent}- ${item}${lineEnd}`).join("");
      return splice(text, [{ at, remove: 0, insert: (text[at - 1] === "\n" ? "" : lineEnd) + items }]);
    },
    formatted: (document) =>
      document.set("images", document.createNode([...[document.toJS().images].flat(), ...entries])),
    wanted: (config) => ({ ...config, images: [...[config.images].flat(), ...entries] }),
  });
  return { text: edited, added: entries.length };
}

const shortList = 80;

function pairOf(document: Document, name: string): { value: Node } | undefined {
  if (!isMap(document.contents) || document.contents.flow) return undefined;
  const pair = document.contents.items.find((item) => isScalar(item.key) && item.key.value === name);
  const value = pair?.value as Node | null | undefined;
  return value?.range ? { value } : undefined;
}

function splice(text: string, changes: { at: number; remove: number; insert: string }[]): string {
  let edited = text;
  for (const { at, remove, insert } of changes.sort((a, b) => b.at - a.at))
    edited = edited.slice(0, at) + insert + edited.slice(at + remove);
  return edited;
}

/** Behind the line break of the line on which something ends. */
function endOfLine(text: string, end: number): number {
  const lineBreak = text.indexOf("\n", text.slice(0, end).trimEnd().length);
  return lineBreak < 0 ? text.length : lineBreak + 1;
}

function indentAt(text: string, at: number): string {
  return " ".repeat(at - text.lastIndexOf("\n", at - 1) - 1);
}

function lineEndOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function yamlText(text: string): string {
  return /^[A-Za-z_][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
