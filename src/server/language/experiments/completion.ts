import { readdir } from "node:fs/promises";
import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver/node";
import { flowText, scalarText } from "../../../engine/config/yamlDocument.ts";
import { expand } from "../../../engine/experiments/expand.ts";
import { parseExperiment } from "../../../engine/experiments/file.ts";
import { presetNames, presetText } from "../../../engine/experiments/presets.ts";
import { t } from "../../locale.ts";
import { type Candidate, candidatesFor } from "../candidates.ts";
import { type ConfigDocument, folderOf } from "../configDocument.ts";
import type { ConfigPath } from "../context.ts";
import { type Cursor, cursorAt } from "../cursor.ts";
import { describeKey } from "../describe.ts";
import { alternatives, defaultOf, isPlain, isSection, namedValues } from "../schema.ts";
import { dottedKeys, ownKeys, placeOf, schemasOf } from "./places.ts";

/** What may be written at an offset of an experiment: its own keys, keys and values of leaf.yaml, names of rows, presets. */
export async function experimentCompletions(
  config: ConfigDocument,
  offset: number,
): Promise<CompletionItem[]> {
  const cursor = cursorAt(config.text, offset);
  if (!cursor) return [];
  if (cursor.kind === "value") return valueItems(config, cursor);
  const keys = keyItems(config, cursor);
  const empty = cursor.path.length === 0 && cursor.siblings.length === 0 && !cursor.flow && !cursor.colon;
  return empty ? [...(await presetItems(config, cursor)), ...keys] : keys;
}

function keyItems(config: ConfigDocument, cursor: Cursor): CompletionItem[] {
  return keysAt(cursor.path)
    .filter((key) => !cursor.siblings.includes(key))
    .map((key, i): CompletionItem => {
      const place = placeOf([...cursor.path, key]);
      const nodes = schemasOf(place);
      const section = isSection(nodes) || key === "arms" || key === "matrix";
      return {
        label: key,
        kind: section ? CompletionItemKind.Module : CompletionItemKind.Property,
        documentation: { kind: "markdown", value: describeKey(place.path, nodes) },
        textEdit: {
          range: config.range(...cursor.span),
          newText: cursor.colon || cursor.quote ? key : `${key}:${section && !cursor.flow ? "" : " "}`,
        },
        sortText: `1${String(i).padStart(3, "0")}`,
      };
    });
}

function keysAt(at: ConfigPath): string[] {
  const [top] = at;
  if (at.length === 0) return propertiesAt(at);
  if (top === "matrix")
    return at.length === 1 ? dottedKeys().filter((key) => !ownKeys.has(key)) : propertiesAt(at);
  // Arms have names of one's own.
  if (top !== "arms" || at.length === 1) return [];
  if (at.length > 2) return propertiesAt(at);
  return [
    "stage",
    ...propertiesAt(at),
    ...dottedKeys().filter((key) => key.includes(".") && !ownKeys.has(key)),
  ];
}

function propertiesAt(at: ConfigPath): string[] {
  return schemasOf(placeOf(at))
    .flatMap(alternatives)
    .flatMap((node) => Object.keys(node.properties ?? {}));
}

async function valueItems(config: ConfigDocument, cursor: Cursor): Promise<CompletionItem[]> {
  const folder = folderOf(config.uri);
  const place = placeOf(cursor.path);
  const nodes = schemasOf(place, (at) => cursor.valueAt(at));
  const fallback = defaultOf(nodes);
  const schema = [
    ...(isPlain(fallback) && !Array.isArray(fallback) ? [fallback] : []),
    ...namedValues(nodes),
  ];
  const found: Candidate[] =
    folder && place.of === "config"
      ? await candidatesFor(place.path, folder, cursor.typed, cursor.valueAt)
      : [];
  const values = [
    ...(await ownValues(config, cursor, folder)),
    ...found.map(({ text }) => scalarText(text)),
    ...schema.map(flowText),
  ];
  return [...new Set(values)].map((value, i) => ({
    label: value,
    kind: CompletionItemKind.Value,
    documentation: { kind: "markdown", value: describeKey(place.path, nodes) },
    textEdit: { range: config.range(...cursor.span), newText: value },
    sortText: `1${String(i).padStart(3, "0")}`,
  }));
}

/** Rows to compare with, and configs to start from. */
async function ownValues(
  config: ConfigDocument,
  cursor: Cursor,
  folder: string | undefined,
): Promise<string[]> {
  const [key] = cursor.path;
  if (cursor.path.length !== 1) return [];
  if (key === "base" && folder) {
    const files = await readdir(folder).catch(() => []);
    return files.filter((file) => /^(leaf|.+\.leaf)\.yaml$/.test(file)).map(scalarText);
  }
  if (key !== "compare") return [];
  const parsed = parseExperiment(config.text.replace(/^compare:.*$/m, ""));
  if (!parsed.ok) return [];
  const arms = Object.keys(parsed.experiment.arms ?? {});
  return [...arms, ...expand(parsed.experiment).map(({ name }) => name)].map(scalarText);
}

async function presetItems(config: ConfigDocument, cursor: Cursor): Promise<CompletionItem[]> {
  const names = await presetNames();
  return Promise.all(
    names.map(async (name): Promise<CompletionItem> => {
      const text = await presetText(name);
      return {
        label: t("{0} experiment", name),
        kind: CompletionItemKind.Snippet,
        detail: t(text.split("\n", 1)[0]!.replace(/^# /, "")),
        documentation: { kind: "markdown", value: `\`\`\`yaml\n${text}\`\`\`` },
        filterText: `${name} experiment ${cursor.typed}`,
        insertTextFormat: InsertTextFormat.PlainText,
        textEdit: { range: config.range(...cursor.span), newText: text },
        sortText: "0",
      };
    }),
  );
}
